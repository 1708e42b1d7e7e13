# Answers each line with a line: "unpack BYTES" with the value, "pack VALUE" with the bytes, by ruby-msgpack.
require_relative "tagged"

$stdin.each_line do |line|
  verb, rest = line.split(" ", 2)
  puts verb == "pack" ? format_bytes(pack(JSON.parse(rest))) : JSON.generate(unpack(parse_bytes(rest)))
end
