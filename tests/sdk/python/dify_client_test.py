"""PyPI `dify-client`: chat, completion, conversations, feedback, files."""
import json
import os

from dify_client import ChatClient, CompletionClient

base = os.environ["DIFY_BASE"] + "/v1"


def events(answer):
    return [json.loads(line[6:]) for line in answer.iter_lines(decode_unicode=True) if line.startswith("data: ")]


chat = ChatClient(os.environ["DIFY_KEY_CHAT"])
chat.base_url = base
first = chat.create_chat_message({}, "hello", "sdk-user")
first.raise_for_status()
first = first.json()
assert "hello" in first["answer"], first
streamed = events(chat.create_chat_message({}, "and again", "sdk-user", "streaming", first["conversation_id"]))
assert streamed[-1]["event"] == "message_end", streamed[-1]
assert "and again" in "".join(e["answer"] for e in streamed if e["event"] == "message")

messages = chat.get_conversation_messages("sdk-user", first["conversation_id"]).json()
assert [m["query"] for m in messages["data"]] == ["hello", "and again"], messages
assert chat.message_feedback(first["message_id"], "like", "sdk-user").json() == {"result": "success"}
renamed = chat.rename_conversation(first["conversation_id"], "Renamed", "sdk-user").json()
assert renamed["name"] == "Renamed", renamed
conversations = chat.get_conversations("sdk-user").json()
assert "Renamed" in [c["name"] for c in conversations["data"]], conversations
assert "user_input_form" in chat.get_application_parameters("sdk-user").json()
uploaded = chat.file_upload("sdk-user", {"file": ("note.txt", b"a note", "text/plain")})
assert uploaded.status_code == 201 and uploaded.json()["size"] == 6, uploaded.text

completion = CompletionClient(os.environ["DIFY_KEY_COMPLETION"])
completion.base_url = base
whole = completion.create_completion_message({"query": "complete me"}, "blocking", "sdk-user").json()
assert "complete me" in whole["answer"], whole
parts = events(completion.create_completion_message({"query": "stream me"}, "streaming", "sdk-user"))
assert parts[-1]["event"] == "message_end" and "stream me" in "".join(e.get("answer", "") for e in parts)

refused = ChatClient("app-nobody")
refused.base_url = base
assert refused.create_chat_message({}, "hello", "sdk-user").json()["code"] == "unauthorized"
