-- Refuses a JSON body that names a field its message does not have: Envoy's transcoder drops such a field without a word,
-- so that a caller who writes "travelmode" would be sent on foot. Everything else that may be wrong with a body is for the
-- transcoder and the servers to say: on anything that is not JSON this gives up silently, and lets it pass.
--
-- MESSAGES, which gateway/config.py puts before this, has the fields of each message: by both spellings of its name, the
-- message that a field holds, or "" for what is not looked into. The route says which message its body is.

local byte, find, sub, char = string.byte, string.find, string.sub, string.char
local QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COLON, COMMA =
  34, 92, 123, 125, 91, 93, 58, 44
-- The transcoder refuses what is nested deeper than this.
local DEEPEST = 64

local function skip_space(text, at)
  return find(text, "[^ \t\r\n]", at) or #text + 1
end

-- The place after the string that begins at `at`; nil when it does not end.
local function skip_string(text, at)
  local from = at + 1
  while true do
    local found = find(text, '["\\]', from)
    if not found then
      return nil
    end
    if byte(text, found) == QUOTE then
      return found + 1
    end
    from = found + 2
  end
end

-- A key as it was meant, for "\u006frigin" is "origin"; what is outside ASCII is no field's name, and stays as it is.
local function unescaped(key)
  return (key:gsub("\\u00(%x%x)", function(code) return char(tonumber(code, 16)) end):gsub("\\/", "/"))
end

local skip_value

local function skip_object(text, at, message, depth)
  local fields = MESSAGES[message]
  at = skip_space(text, at + 1)
  if byte(text, at) == CLOSE_BRACE then
    return at + 1
  end
  while byte(text, at) == QUOTE do
    local stop = skip_string(text, at)
    if not stop then
      return nil
    end
    local key, held = nil, ""
    if fields then
      key = unescaped(sub(text, at + 1, stop - 2))
      held = fields[key]
      if not held then
        return nil, key, message
      end
    end
    at = skip_space(text, stop)
    if byte(text, at) ~= COLON then
      return nil
    end
    local unknown, within
    at, unknown, within = skip_value(text, skip_space(text, at + 1), held, depth + 1)
    if not at then
      return nil, unknown and key .. (byte(unknown) == OPEN_BRACKET and "" or ".") .. unknown, within
    end
    at = skip_space(text, at)
    local sign = byte(text, at)
    if sign == CLOSE_BRACE then
      return at + 1
    end
    if sign ~= COMMA then
      return nil
    end
    at = skip_space(text, at + 1)
  end
end

local function skip_array(text, at, message, depth)
  at = skip_space(text, at + 1)
  if byte(text, at) == CLOSE_BRACKET then
    return at + 1
  end
  local index = 0
  while true do
    local unknown, within
    at, unknown, within = skip_value(text, at, message, depth + 1)
    if not at then
      return nil, unknown and "[" .. index .. "]." .. unknown, within
    end
    index = index + 1
    at = skip_space(text, at)
    local sign = byte(text, at)
    if sign == CLOSE_BRACKET then
      return at + 1
    end
    if sign ~= COMMA then
      return nil
    end
    at = skip_space(text, at + 1)
  end
end

-- The place after the value that begins at `at`. Else nil, and where a field is unknown, its path and its message's name.
skip_value = function(text, at, message, depth)
  local sign = byte(text, at)
  if depth > DEEPEST or not sign then
    return nil
  elseif sign == QUOTE then
    return skip_string(text, at)
  elseif sign == OPEN_BRACE then
    return skip_object(text, at, message, depth)
  elseif sign == OPEN_BRACKET then
    return skip_array(text, at, message, depth)
  end
  -- A number, true, false, null.
  local stop = find(text, "[^%w%.+-]", at) or #text + 1
  return stop > at and stop or nil
end

function envoy_on_request(handle)
  local message = handle:filterContext():get("message")
  local body = message and handle:body()
  if not body or body:length() == 0 then
    return
  end
  local text = body:getBytes(0, body:length())
  local _, unknown, within = skip_value(text, skip_space(text, 1), message, 1)
  if unknown then
    local known = {}
    for name in pairs(MESSAGES[within]) do
      if not find(name, "_", 1, true) then
        known[#known + 1] = name
      end
    end
    table.sort(known)
    local there_are = #known > 0 and "there are " .. table.concat(known, ", ") or "it has none"
    handle:respond({[":status"] = "400"}, unknown:sub(1, 128) .. ": no such field; " .. there_are)
  end
end
