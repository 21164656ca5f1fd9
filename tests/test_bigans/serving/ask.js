// Asks a SavedModel through @tensorflow/tfjs-node: node ask.js MODEL REQUESTS.json ANSWERS.json
const fs = require("fs");
const tf = require("@tensorflow/tfjs-node");

const tensorOf = ({ values, shape, dtype }) =>
  dtype === "string"
    ? tf.tensor(values.map((one) => Buffer.from(one, "base64")), shape, dtype)
    : tf.tensor(values, shape, dtype);

const plain = async (tensor) =>
  tensor.dtype === "string"
    ? (await tensor.bytes()).map((one) => Buffer.from(one).toString("base64"))
    : Array.from(await tensor.data());

async function answer(directory, { signature, inputs }) {
  const model = await tf.node.loadSavedModel(directory, ["serve"], signature);
  const tensors = Object.entries(inputs).map(([name, one]) => [name, tensorOf(one)]);
  try {
    const found = {};
    for (const [name, tensor] of Object.entries(model.predict(Object.fromEntries(tensors)))) {
      found[name] = { shape: tensor.shape, values: await plain(tensor) };
    }
    return found;
  } catch (error) {
    return { error: error.message };
  }
}

async function main() {
  const [directory, requests, answers] = process.argv.slice(2);
  const found = [];
  for (const one of JSON.parse(fs.readFileSync(requests))) found.push(await answer(directory, one));
  fs.writeFileSync(answers, JSON.stringify(found));
}

main();
