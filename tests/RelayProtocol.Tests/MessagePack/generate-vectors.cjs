// Writes vectors.javascript.txt: the values of values.txt as the npm package @msgpack/msgpack encodes them. Each line is a value,
// a tab, and its encoding. To run: npm install @msgpack/msgpack@3.1.3 in a directory elsewhere, then with NODE_PATH set to that
// directory's node_modules: node generate-vectors.cjs
const fs = require("node:fs");
const path = require("node:path");
const { encode, encodeTimeSpecToTimestamp, ExtData } = require("@msgpack/msgpack");

function parseBytes(text) {
  return Buffer.concat(text.split(" ").filter(Boolean).map((word) => {
    const [digits, count] = word.split("*");
    return Buffer.concat(Array(Number(count ?? 1)).fill(Buffer.from(digits, "hex")));
  }));
}

function formatBytes(data) {
  return Buffer.from(data).toString("hex").replace(/(?:^|(?<=^(?:..)*))(..)\1{16,}/g, (run, digits) => ` ${digits}*${run.length / 2} `).trim();
}

// A map's keys are strings here, so a map with other keys is written as its header and its parts.
function pack(value) {
  const [tag, first, second] = value;
  switch (tag) {
    case "nil": return encode(null);
    case "bool": return encode(first);
    // The package writes a BigInt always in 64 bits, so it gets one only where that is needed.
    case "int": return Number.isSafeInteger(Number(first)) ? encode(Number(first)) : encode(BigInt(first), { useBigInt64: true });
    case "f32": return encode(Buffer.from(first, "hex").readFloatBE(), { forceFloat32: true, forceIntegerToFloat: true });
    case "f64": return encode(Buffer.from(first, "hex").readDoubleBE(), { forceIntegerToFloat: true });
    case "str": return encode(parseBytes(first).toString("utf8"));
    case "bin": return encode(new Uint8Array(parseBytes(first)));
    case "ext": return encode(new ExtData(first, new Uint8Array(parseBytes(second))));
    case "time": return encode(new ExtData(-1, encodeTimeSpecToTimestamp({ sec: Number(first), nsec: second })));
    case "ones": return encode(Array(first).fill(1));
    case "array": return encode(first.map(toJavaScript));
    case "map": return encode(toJavaScript(value));
    default: return null;
  }
}

function toJavaScript([tag, first]) {
  switch (tag) {
    case "nil": return null;
    case "int": return Number(first);
    case "str": return parseBytes(first).toString("utf8");
    case "array": return first.map(toJavaScript);
    case "map": return Object.fromEntries(first.map(([key, item]) => [toJavaScript(key), toJavaScript(item)]));
    default: return first;
  }
}

const { version } = JSON.parse(fs.readFileSync(path.join(path.dirname(require.resolve("@msgpack/msgpack")), "..", "package.json")));
const lines = [`# @msgpack/msgpack ${version}`];
for (const line of fs.readFileSync(path.join(__dirname, "values.txt"), "utf8").split("\n")) {
  const data = line && !line.startsWith("#") ? pack(JSON.parse(line)) : null;
  if (data) {
    lines.push(`${JSON.stringify(JSON.parse(line))}\t${formatBytes(data)}`);
  }
}
fs.writeFileSync(path.join(__dirname, "vectors.javascript.txt"), `${lines.join("\n")}\n`);
