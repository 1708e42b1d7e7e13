# Converts the values of values.txt to Ruby's, and bytes to and from the hexadecimal with runs that is used there.
require "json"
require "msgpack"

FACTORY = MessagePack::Factory.new
FACTORY.register_type(-1, MessagePack::Timestamp,
                      packer: ->(time) { MessagePack::Timestamp.to_msgpack_ext(time.sec, time.nsec) },
                      unpacker: MessagePack::Timestamp.method(:from_msgpack_ext))

def parse_bytes(text)
  text.split.map { |word| digits, count = word.split("*"); [digits].pack("H*") * (count || 1).to_i }.join.b
end

def format_bytes(data)
  words = [+""]
  data.each_byte.chunk_while { |a, b| a == b }.each do |run|
    digits = format("%02x", run[0])
    run.size > 16 ? words.push("#{digits}*#{run.size}", +"") : words[-1] << digits * run.size
  end
  words.reject(&:empty?).join(" ")
end

def write(packer, value)
  tag, first, second = value
  case tag
  when "nil" then packer.write_nil
  when "bool" then packer.write(first)
  when "int" then packer.write_int(first.to_i)
  when "f32" then packer.write_float32([first].pack("H*").unpack1("g"))
  when "f64" then packer.write_float([first].pack("H*").unpack1("G"))
  when "str" then packer.write_string(parse_bytes(first).force_encoding("UTF-8"))
  when "bin" then packer.write_bin(parse_bytes(first))
  when "ext" then packer.write_ext(first, parse_bytes(second))
  when "time" then packer.write(MessagePack::Timestamp.new(first.to_i, second))
  when "ones" then packer.write_array_header(first); first.times { packer.write(1) }
  when "onesmap" then packer.write_map_header(first); (first * 2).times { packer.write(1) }
  when "array" then packer.write_array_header(first.size); first.each { |item| write(packer, item) }
  when "map" then packer.write_map_header(first.size); first.flatten(1).each { |item| write(packer, item) }
  end
end

# Encodes a value of values.txt with ruby-msgpack.
def pack(value)
  packer = FACTORY.packer
  write(packer, value)
  packer.to_s
end
