-- Token buckets, taken from all together or from none.
-- KEYS: one a rule. ARGV: quota and window in milliseconds, a pair a rule.
-- Returns text, numbers with spaces between, a triple a rule: 1 when this rule lets the call pass, tokens left after the
-- call (thousandths), milliseconds until a token is there.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local tokens, passes = {}, true
for i, key in ipairs(KEYS) do
  local quota, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local state = redis.call('HMGET', key, 't', 'at', 'q')
  local left, at = tonumber(state[1]), tonumber(state[2])
  if not left or tonumber(state[3]) ~= quota then
    left, at = quota, now
  end
  tokens[i] = math.min(quota, left + math.max(0, now - at) * quota / window)
  if tokens[i] < 1 then passes = false end
end
local answer = {}
for i, key in ipairs(KEYS) do
  local quota, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local lets = tokens[i] >= 1
  if passes then tokens[i] = tokens[i] - 1 end
  redis.call('HSET', key, 't', tostring(tokens[i]), 'at', now, 'q', quota)
  redis.call('PEXPIRE', key, window * 2)
  answer[#answer + 1] = lets and 1 or 0
  answer[#answer + 1] = math.floor(tokens[i] * 1000)
  answer[#answer + 1] = math.ceil(math.max(0, 1 - tokens[i]) * window / quota)
end
return table.concat(answer, ' ')
