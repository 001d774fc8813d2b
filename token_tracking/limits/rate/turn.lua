-- One turn of one key: hear, correct, join and leave, then serve the line. All or nothing.
-- KEYS: the counts (hash), the line (sorted set by number). ARGV: the work, as JSON.
-- Hash: b<part> "requests input output tokens"; total; first; now; number; paused;
-- w<id> the wish in JSON; c<owner> how many of an owner's wishes wait, s<owner> when it last
-- asked, l<owner> the limits that it knows of, g<owner> what it was granted and has not heard of.
-- Microseconds of this server's clock.
local H, L = KEYS[1], KEYS[2]
local work = cjson.decode(ARGV[1])
local size, held = work.part, work.held

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local known = redis.call('HMGET', H, 'now', 'total', 'first', 'paused')
now = math.max(now, tonumber(known[1] or 0))
local part = math.floor(now / size)
local first = tonumber(known[3] or part)
local paused = tonumber(known[4] or 0)

local function number(value) return string.format('%.0f', value) end
local function read(text)
  if not text then return {0, 0, 0, 0} end
  local counts = {}
  for count in string.gmatch(text, '%-?%d+') do counts[#counts + 1] = tonumber(count) end
  return counts
end
local function written(counts)
  return string.format('%.0f %.0f %.0f %.0f', counts[1], counts[2], counts[3], counts[4])
end

local total = read(known[2])
local parts, changed = {}, {}
local function at(index)
  if not parts[index] then parts[index] = read(redis.call('HGET', H, 'b' .. number(index))) end
  return parts[index]
end
local function add(index, kind, count)
  local counts = at(index)
  counts[kind] = counts[kind] + count
  changed[index] = counts
  total[kind] = total[kind] + count
  if index < first then first = index end
end

-- What is held no longer leaves. After a long rest there are at most `held` of them.
local oldest = part - held + 1
if first < oldest then
  local gone = {}
  for index = first, math.min(oldest - 1, first + held) do
    local counts = at(index)
    for kind = 1, 4 do total[kind] = total[kind] - counts[kind] end
    gone[#gone + 1] = 'b' .. number(index)
  end
  redis.call('HDEL', H, unpack(gone))
  first = oldest
end

-- What the provider said: a longer pause, a higher count.
if work.pause > 0 then paused = math.max(paused, now + work.pause) end
for kind = 1, 4 do
  local used, lasting = work.used[kind], math.ceil(work.returns[kind] / size)
  if used > total[kind] and lasting > 0 then
    add(math.max(oldest, math.min(part, part + 1 + lasting - held)), kind, used - total[kind])
  end
end

local function give_back(index, kind, count)
  if index < oldest then return end
  add(index, kind, -math.min(count, at(index)[kind]))
end
for _, change in ipairs(work.changes) do
  for kind = 1, 4 do
    local delta = change[kind + 1]
    if delta > 0 then add(part, kind, delta) elseif delta < 0 then
      give_back(change[1], kind, -delta)
    end
  end
end

local function waits(owner, more)
  local mine = tonumber(redis.call('HGET', H, 'c' .. owner) or 0) + more
  redis.call('HSET', H, 'c' .. owner, number(math.max(0, mine)))
end

local mailbox = 'g' .. work.owner
local mail = redis.call('HGET', H, mailbox)
local granted = mail and cjson.decode(mail) or {}
for _, wish in ipairs(work.left) do
  redis.call('ZREM', L, wish.id)
  if redis.call('HDEL', H, 'w' .. wish.id) == 1 then waits(work.owner, -1) end
  for index = #granted, 1, -1 do
    if granted[index][1] == wish.id then
      for kind = 1, 4 do give_back(granted[index][2], kind, wish.counts[kind]) end
      table.remove(granted, index)
    end
  end
end
-- A grant counts from when it is heard of, which may be a while after it was made.
for _, grant in ipairs(granted) do
  if grant[2] < part and grant[2] >= oldest then
    for kind = 1, 4 do
      give_back(grant[2], kind, grant[2 + kind])
      add(part, kind, grant[2 + kind])
    end
    grant[2] = part
  end
end
if mail then redis.call('HDEL', H, mailbox) end

for _, wish in ipairs(work.wishes) do
  if redis.call('HEXISTS', H, 'w' .. wish.id) == 0 then
    wish.owner = work.owner
    redis.call('HSET', H, 'w' .. wish.id, cjson.encode(wish))
    redis.call('ZADD', L, redis.call('HINCRBY', H, 'number', 1), wish.id)
    waits(work.owner, 1)
  end
end

-- Each process may have learnt other limits: its wishes are held to those that it told last.
local limits = {[work.owner] = work.limits}
redis.call('HSET', H, 'l' .. work.owner, written(work.limits))
local function limits_of(owner)
  if not limits[owner] then limits[owner] = read(redis.call('HGET', H, 'l' .. owner)) end
  return limits[owner]
end

-- Microseconds until a wish fits after those before it, if nothing is given back.
local function until_fits(wish, before)
  local free = 0
  for kind = 1, 4 do
    local limit, count = limits_of(wish.owner)[kind], wish.counts[kind]
    local over = total[kind] + before[kind] + count - limit
    if limit >= 0 and count > 0 and over > 0 then
      local index = first
      while index <= part do
        over = over - at(index)[kind]
        if over <= 0 then break end
        index = index + 1
      end
      free = math.max(free, (math.min(index, part) + held) * size - now)
    end
  end
  return free
end

local alive = {[work.owner] = true}
local function is_alive(owner)
  if alive[owner] == nil then
    local seen = tonumber(redis.call('HGET', H, 's' .. owner) or 0)
    alive[owner] = now - seen <= work.patience
    if not alive[owner] then
      redis.call('HDEL', H, 's' .. owner, 'g' .. owner, 'c' .. owner, 'l' .. owner)
    end
  end
  return alive[owner]
end

local wait = math.max(0, paused - now)
local paused_for = wait
while paused_for == 0 do
  local head = redis.call('ZRANGE', L, 0, 0)[1]
  if not head then break end
  local text = redis.call('HGET', H, 'w' .. head)
  local wish = text and cjson.decode(text)
  if wish and is_alive(wish.owner) then
    wait = until_fits(wish, {0, 0, 0, 0})
    if wait > 0 then break end
    for kind = 1, 4 do add(part, kind, wish.counts[kind]) end
    waits(wish.owner, -1)
    local grant = {head, part, unpack(wish.counts)}
    if wish.owner == work.owner then granted[#granted + 1] = grant else
      local box = redis.call('HGET', H, 'g' .. wish.owner)
      local grants = box and cjson.decode(box) or {}
      grants[#grants + 1] = grant
      redis.call('HSET', H, 'g' .. wish.owner, cjson.encode(grants))
    end
  end
  redis.call('ZREM', L, head)
  redis.call('HDEL', H, 'w' .. head)
end

-- Whose turn is not next need not ask at every moment that the first may fit. That far ahead only.
local function own_wait()
  local names = redis.call('ZRANGE', L, 0, work.ahead)
  for index, name in ipairs(names) do names[index] = 'w' .. name end
  local before, wish = {0, 0, 0, 0}, nil
  for _, text in ipairs(redis.call('HMGET', H, unpack(names))) do
    if text then
      if wish then
        for kind = 1, 4 do before[kind] = before[kind] + wish.counts[kind] end
      end
      wish = cjson.decode(text)
      if wish.owner == work.owner then break end
    end
  end
  return wish and until_fits(wish, before) or 0
end
if wait > 0 and paused_for == 0 then wait = math.max(wait, own_wait()) end

local fields = {'now', number(now), 'total', written(total), 'first', number(first),
  'paused', number(paused)}
for index, counts in pairs(changed) do
  fields[#fields + 1] = 'b' .. number(index)
  fields[#fields + 1] = written(counts)
end
redis.call('HSET', H, unpack(fields))
local waiting = tonumber(redis.call('HGET', H, 'c' .. work.owner) or 0)
if waiting > 0 then redis.call('HSET', H, 's' .. work.owner, number(now)) else
  redis.call('HDEL', H, 's' .. work.owner, 'c' .. work.owner, 'l' .. work.owner)
end
local keep = work.keep + math.ceil(paused_for / 1000)
redis.call('PEXPIRE', H, keep)
redis.call('PEXPIRE', L, keep)

local answer = {tostring(wait), tostring(paused_for), waiting}
for _, grant in ipairs(granted) do
  answer[#answer + 1] = grant[1]
  answer[#answer + 1] = number(grant[2])
end
return answer
