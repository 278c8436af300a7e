"""PyPI `dify-api-client`: chat, completion, workflow, conversation history."""
import os

from dify_client import DifyClient, models

base = os.environ["DIFY_BASE"]
BLOCKING, STREAMING = models.ResponseMode.BLOCKING, models.ResponseMode.STREAMING


def client(app):
    return DifyClient(api_key=os.environ[f"DIFY_KEY_{app}"], api_base=base)


for app in ("CHAT", "ADVANCED_CHAT"):
    request = models.ChatRequest(query=f"hello {app}", response_mode=BLOCKING, user="api", inputs={})
    answer = client(app).chat_messages(request, timeout=30.0)
    assert f"hello {app}" in answer.answer, answer
    request = models.ChatRequest(query="streamed", response_mode=STREAMING, user="api", inputs={}, conversation_id=answer.conversation_id)
    events = list(client(app).chat_messages(request, timeout=30.0))
    # Apps drawn as a graph say last that the graph has run.
    last = [models.StreamEvent.MESSAGE_END] + [models.StreamEvent.WORKFLOW_FINISHED] * (app == "ADVANCED_CHAT")
    assert [e.event for e in events[-len(last):]] == last, events

request = models.CompletionRequest(inputs={"query": "complete"}, response_mode=BLOCKING, user="api")
assert "complete" in client("COMPLETION").completion_messages(request, timeout=30.0).answer

run = models.WorkflowsRunRequest(inputs={"query": "run"}, response_mode=BLOCKING, user="api")
assert "run" in client("WORKFLOW").run_workflows(run, timeout=30.0).data.outputs["text"]
run.response_mode = STREAMING
assert list(client("WORKFLOW").run_workflows(run, timeout=30.0))[-1].event == models.StreamEvent.WORKFLOW_FINISHED
