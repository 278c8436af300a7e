// npm `dify-client`: chat, completion, workflow, conversations, feedback.
import assert from "node:assert/strict";
import { ChatClient, CompletionClient, DifyClient } from "dify-client";

const base = `${process.env.DIFY_BASE}/v1`;
const user = "node";

async function events(answer) {
  let text = "";
  for await (const chunk of answer.data) text += chunk;
  return text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
}

const chat = new ChatClient(process.env.DIFY_KEY_CHAT, base);
const first = (await chat.createChatMessage({}, "hello node", user)).data;
assert.match(first.answer, /hello node/);
const streamed = await events(await chat.createChatMessage({}, "streamed", user, true, first.conversation_id));
assert.equal(streamed.at(-1).event, "message_end");
assert.match(streamed.filter((e) => e.event === "message").map((e) => e.answer).join(""), /streamed/);
assert.equal((await chat.getConversationMessages(user, first.conversation_id)).data.data.length, 2);
assert.equal((await chat.messageFeedback(first.message_id, "like", user)).data.result, "success");
assert.equal((await chat.renameConversation(first.conversation_id, "From node", user, false)).data.name, "From node");
assert.ok((await chat.getConversations(user)).data.data.some((c) => c.name === "From node"));
await chat.deleteConversation(first.conversation_id, user);
assert.ok(!(await chat.getConversations(user)).data.data.some((c) => c.id === first.conversation_id));

const form = new FormData();
form.append("user", user);
form.append("file", new Blob(["a note"], { type: "text/plain" }), "note.txt");
assert.equal((await chat.fileUpload(form)).data.extension, "txt");
assert.ok((await new DifyClient(process.env.DIFY_KEY_CHAT, base).getApplicationParameters(user)).data.user_input_form);

const completion = new CompletionClient(process.env.DIFY_KEY_COMPLETION, base);
assert.match((await completion.createCompletionMessage({ query: "complete" }, user)).data.answer, /complete/);

const workflow = new CompletionClient(process.env.DIFY_KEY_WORKFLOW, base);
assert.match((await workflow.runWorkflow({ query: "run" }, user)).data.data.outputs.text, /run/);
const run = await events(await workflow.runWorkflow({ query: "run" }, user, true));
assert.equal(run.at(-1).event, "workflow_finished");

await assert.rejects(new ChatClient("app-nobody", base).createChatMessage({}, "x", user), (err) => err.response.status === 401);
