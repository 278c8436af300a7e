// npm `dify-ai-provider` in Vercel's AI SDK: generate and stream text over a chat app and a chatflow.
import assert from "node:assert/strict";
import { generateText, streamText } from "ai";
import { createDifyProvider } from "dify-ai-provider";

const provider = createDifyProvider({ baseURL: `${process.env.DIFY_BASE}/v1` });
const headers = { "user-id": "ai-sdk" };

for (const apiKey of [process.env.DIFY_KEY_CHAT, process.env.DIFY_KEY_ADVANCED_CHAT]) {
  const blocking = provider("app", { responseMode: "blocking", apiKey });
  const whole = await generateText({ model: blocking, prompt: "hello provider", headers });
  assert.match(whole.text, /hello provider/);
  const { conversationId } = whole.providerMetadata.difyWorkflowData;
  assert.ok(conversationId);

  const streaming = provider("app", { responseMode: "streaming", apiKey });
  const stream = streamText({ model: streaming, prompt: "streamed", headers: { ...headers, "chat-id": conversationId } });
  let text = "";
  for await (const part of stream.textStream) text += part;
  assert.match(text, /streamed/);
}
