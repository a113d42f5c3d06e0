//! `pq`: the small proof of work that a client does first, the factors of a 62-bit number.

/// A product of two different primes of 31 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    p: u64,
    q: u64,
}

impl Product {
    /// A new one.
    pub fn random() -> Self {
        let p = random_prime();
        let q = loop {
            let q = random_prime();
            if q != p {
                break q;
            }
        };
        Self { p: p.min(q), q: p.max(q) }
    }

    /// The product as it goes to the client, most significant byte first.
    pub fn bytes(self) -> Vec<u8> {
        (self.p * self.q).to_be_bytes().to_vec()
    }

    /// Whether these are the factors, the smaller one first.
    pub fn has_factors(self, p: &[u8], q: &[u8]) -> bool {
        number(p) == Some(self.p) && number(q) == Some(self.q)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    let mut padded = [0; 8];
    padded.get_mut(8_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(u64::from_be_bytes(padded))
}

fn random_prime() -> u64 {
    loop {
        let candidate = u64::from(rand::random::<u32>() >> 2) | (1 << 30) | 1;
        if is_prime(candidate) {
            return candidate;
        }
    }
}

/// Miller-Rabin; these four bases are proof below 3,215,031,751.
fn is_prime(n: u64) -> bool {
    let power = |mut base: u64, mut exponent: u64| {
        let mut result = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * base % n;
            }
            base = base * base % n;
            exponent >>= 1;
        }
        result
    };
    let twos = (n - 1).trailing_zeros();
    [2, 3, 5, 7].into_iter().all(|base| {
        let mut x = power(base, (n - 1) >> twos);
        x == 1
            || (0..twos).any(|_| {
                let hit = x == n - 1;
                x = x * x % n;
                hit
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_finds_the_factors() {
        for _ in 0..20 {
            let product = Product::random();
            let pq = u64::from_be_bytes(product.bytes().try_into().unwrap());
            let (p, q) = grammers_crypto::factorize(pq);
            let (p, q) = (p.min(q), p.max(q));
            assert!(product.has_factors(&p.to_be_bytes()[4..], &q.to_be_bytes()[4..]));
            assert!(product.has_factors(&p.to_be_bytes(), &q.to_be_bytes()));
            assert!(!product.has_factors(&q.to_be_bytes(), &p.to_be_bytes()));
            assert!(!product.has_factors(&[0; 9], &q.to_be_bytes()));
        }
    }

    #[test]
    fn primes_are_told_from_others() {
        for prime in [1_073_741_827_u64, 2_147_483_647, 1_073_741_831] {
            assert!(is_prime(prime), "{prime}");
        }
        for composite in [1_073_741_825_u64, 46_349 * 46_337, 1_373_653, 25_326_001] {
            assert!(!is_prime(composite), "{composite}");
        }
    }
}
