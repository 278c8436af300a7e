"""PyPI `pydify`: chatbot, chatflow, text generation and workflow clients."""
import os

from pydify import ChatbotClient, ChatflowClient, TextGenerationClient, WorkflowClient

base = os.environ["DIFY_BASE"] + "/v1"

for kind, app in ((ChatbotClient, "CHAT"), (ChatflowClient, "ADVANCED_CHAT")):
    bot = kind(api_key=os.environ[f"DIFY_KEY_{app}"], base_url=base)
    events = list(bot.send_message(query="hello pydify", user="py", response_mode="streaming"))
    assert "hello pydify" in "".join(e["answer"] for e in events if e["event"] == "message"), events
    # Apps drawn as a graph say last that the graph has run.
    last = ["message_end"] + ["workflow_finished"] * (app == "ADVANCED_CHAT")
    assert [e["event"] for e in events[-len(last):]] == last, events
    conversation = events[-1]["conversation_id"]
    assert len(bot.get_messages(conversation, "py")["data"]) == 1
    assert bot.rename_conversation(conversation, "py", name="Named")["name"] == "Named"
    assert bot.message_feedback(events[-1]["message_id"], "py", rating="like")["result"] == "success"
    assert bot.get_conversations("py")["data"]
    assert bot.get_app_info()["name"].startswith("sdk ")
    assert "user_input_form" in bot.get_parameters()
    # Its delete_conversation uses an address that Dify 1.13.2 does not have.

text = TextGenerationClient(api_key=os.environ["DIFY_KEY_COMPLETION"], base_url=base)
events = list(text.completion(query="write", inputs={"query": "write"}, user="py", response_mode="streaming"))
assert "write" in "".join(e["answer"] for e in events if e["event"] == "message"), events

flow = WorkflowClient(api_key=os.environ["DIFY_KEY_WORKFLOW"], base_url=base)
events = list(flow.run(inputs={"query": "flow"}, user="py", response_mode="streaming"))
assert events[-1]["event"] == "workflow_finished" and "flow" in events[-1]["data"]["outputs"]["text"], events[-1]
# Its get_run_info uses an address that Dify 1.13.2 does not have.
assert flow.get_logs()["data"]
