//! With `--cfg fuzzing` (`make fuzz`): libFuzzer on the target that `FUZZ_TARGET` names. Without: runs a
//! target on files, such as the one in which a fuzzer found something.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::sync::LazyLock;

    use queuegram_fuzz::Target;

    static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        Target::named(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names no target: {name:?}"))
    });

    libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
}

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    use queuegram_fuzz::{TARGETS, Target};

    let mut args = std::env::args().skip(1);
    let Some(target) = args.next().and_then(|name| Target::named(&name)) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        println!("{}", names.join("\n"));
        return ExitCode::SUCCESS;
    };
    for file in args {
        match std::fs::read(&file) {
            Ok(data) => (target.run)(&data),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
