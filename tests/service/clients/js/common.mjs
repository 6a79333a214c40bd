// What the scripts share: where to ask, and how a client's own error is told.
export const URL = process.env.GATEWAY_URL;
export const KEY = process.env.GATEWAY_KEY;
export const MESSAGES = [{ role: "user", content: "hi" }];
export const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

// The client's own exception; a call that succeeds is a failure.
export async function errorOf(call) {
  let returned;
  try {
    returned = await call();
  } catch (error) {
    return {
      name: error.constructor.name,
      text: String(error.message),
      status: error.status ?? error.statusCode ?? error.status_code ?? null,
      code: error.code ?? null,
      param: error.param ?? null,
    };
  }
  throw new Error(`no error, but ${JSON.stringify(returned)}`);
}
