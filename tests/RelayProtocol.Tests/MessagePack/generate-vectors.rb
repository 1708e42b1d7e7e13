#!/usr/bin/ruby
# Writes vectors.ruby.txt: the values of values.txt as ruby-msgpack encodes them. Each line is a value, a tab, and its encoding.
require_relative "tagged"

File.open("#{__dir__}/vectors.ruby.txt", "w") do |out|
  out.puts "# ruby-msgpack #{MessagePack::VERSION}"
  File.foreach("#{__dir__}/values.txt") do |line|
    next if line.start_with?("#")

    value = JSON.parse(line)
    out.puts "#{JSON.generate(value)}\t#{format_bytes(pack(value))}"
  end
end
