//! What Redis does in one go on behalf of a command's owner. Each script shows the epoch of the owner's lease.

use std::sync::LazyLock;

use deadpool_redis::redis::Script;

use crate::redis::fenced;

/// Takes a command: makes its record, or finds it.
pub(super) static CLAIM: LazyLock<Script> = fenced!(
    r"
    local hash = redis.call('HGET', KEYS[2], 'hash')
    if not hash then
        redis.call('HSET', KEYS[2], 'v', ARGV[6], 'hash', ARGV[2], 'method', ARGV[3],
            'state', 'received', 'attempts', 1, 'received', ARGV[4], 'epoch', ARGV[1])
        if ARGV[7] == '1' then
            redis.call('HSET', KEYS[2], 'suspect', 1, 'state', 'started')
        end
        redis.call('EXPIRE', KEYS[2], ARGV[5])
        return {'fresh', redis.call('HGETALL', KEYS[2])}
    end
    if hash ~= ARGV[2] then return {'conflict', {}} end
    local state = redis.call('HGET', KEYS[2], 'state')
    if state ~= 'received' and state ~= 'started' then
        return {'done', redis.call('HGETALL', KEYS[2])}
    end
    redis.call('HINCRBY', KEYS[2], 'attempts', 1)
    redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
    redis.call('EXPIRE', KEYS[2], ARGV[5])
    return {'resumed', redis.call('HGETALL', KEYS[2])}
    "
);

/// Writes a step, started or executed.
pub(super) static STEP: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if not state then return {'missing', {}} end
    if state ~= 'received' and state ~= 'started' then return {'finished', {}} end
    if state == 'received' and ARGV[4] ~= 'read' and redis.call('HEXISTS', KEYS[2], 'cancel') == 1 then
        return {'cancelled', {}}
    end
    local field = 's:' .. ARGV[2]
    local known = redis.call('HGET', KEYS[2], field)
    local n = known and string.match(known, '^%d+')
    if not n then
        n = redis.call('HINCRBY', KEYS[2], 'steps', 1)
        if n > tonumber(ARGV[6]) then return {'full', {}} end
    elseif ARGV[3] == 'started' and string.find(known, '^%d+|executed|') then
        return {'executed', {}}
    end
    local attempt = ARGV[8]
    if attempt == '' then
        attempt = known and string.match(known, '^%d+|%a+|%a+|%d+|(%d+)|') or 1
    end
    local step = n .. '|' .. ARGV[3] .. '|' .. ARGV[4] .. '|' .. ARGV[1] .. '|' .. attempt .. '|' .. ARGV[5]
    redis.call('HSET', KEYS[2], field, step, 'v', ARGV[7])
    if ARGV[4] ~= 'read' then redis.call('HSET', KEYS[2], 'state', 'started') end
    return {'ok', {}}
    "
);

/// What is left of a command whose only change was withdrawn: it has not begun.
pub(super) static WITHDRAW: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if not state then return {'missing', {}} end
    if state ~= 'started' then return {state == 'received' and 'ok' or 'finished', {}} end
    redis.call('HDEL', KEYS[2], 's:' .. ARGV[2])
    for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
        if string.sub(field, 1, 2) == 's:'
            and not string.find(redis.call('HGET', KEYS[2], field), '^%d+|%a+|read|') then
            return {'ok', {}}
        end
    end
    redis.call('HSET', KEYS[2], 'state', 'received')
    return {'ok', {}}
    "
);

/// Writes the result. The same one again is told by its mark.
pub(super) static FINISH: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if not state then return {'missing', {}} end
    if state ~= 'received' and state ~= 'started' then
        if redis.call('HGET', KEYS[2], 'mark') == ARGV[4] then return {'ok', {}} end
        return {'finished', {}}
    end
    if state == 'received' and redis.call('HEXISTS', KEYS[2], 'cancel') == 1 then
        return {'cancelled', {}}
    end
    redis.call('HSET', KEYS[2], 'state', 'finished', 'result', ARGV[2], 'mark', ARGV[4], 'v', ARGV[5])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
    return {'ok', {}}
    "
);

/// Once the result is told nobody goes on with the steps: they need no room any more.
pub(super) static REPLIED: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if state == 'replied' then return {'ok', {}} end
    if not state then return {'missing', {}} end
    if state ~= 'finished' then return {'unfinished', {}} end
    redis.call('HSET', KEYS[2], 'state', 'replied')
    for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
        if string.sub(field, 1, 2) == 's:' then redis.call('HDEL', KEYS[2], field) end
    end
    return {'ok', {}}
    "
);
