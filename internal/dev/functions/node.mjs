// The runtime client that gatehouse dev runs Node handlers under: it asks the
// Runtime API for events, one at a time, as the runtime of AWS does.
import path from "node:path";
import { pathToFileURL } from "node:url";

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [file, name] = process.argv.slice(-2);
const post = (to, value) => fetch(`${base}/${to}`, { method: "POST", body: JSON.stringify(value ?? null) });
const failure = (e) => ({ errorType: e?.name ?? "Error", errorMessage: String(e?.message ?? e), trace: String(e?.stack ?? "").split("\n") });

let handler;
try {
  const module = await import(pathToFileURL(path.resolve(file)));
  handler = module[name] ?? module.default?.[name];
  if (typeof handler !== "function") throw new TypeError(`${file} exports no function ${name}`);
} catch (e) {
  console.error(e);
  await post("init/error", failure(e));
  process.exit(1);
}

for (;;) {
  const next = await fetch(`${base}/invocation/next`).catch(() => process.exit(0)); // idle for too long
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
  const event = await next.json();
  try {
    const result = await new Promise((resolve, reject) => {
      const done = (e, value) => (e ? reject(e) : resolve(value));
      const context = {
        awsRequestId: id, callbackWaitsForEmptyEventLoop: true, done, fail: reject, succeed: resolve,
        functionName: process.env.AWS_LAMBDA_FUNCTION_NAME, functionVersion: "$LATEST",
        invokedFunctionArn: next.headers.get("lambda-runtime-invoked-function-arn"),
        memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME, logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
        getRemainingTimeInMillis: () => deadline - Date.now(),
      };
      const promise = handler(event, context, done);
      if (promise?.then) promise.then(resolve, reject);
      else if (handler.length < 3 && promise !== undefined) resolve(promise);
    });
    await post(`invocation/${id}/response`, result);
  } catch (e) {
    console.error(e);
    await post(`invocation/${id}/error`, failure(e));
  }
}
