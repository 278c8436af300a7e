"""PyPI `dify-client-python`: typed chat, completion, workflow, chatflow; sync and async; errors."""
import asyncio
import os

from dify_client import AsyncClient, Client, errors, models

base = os.environ["DIFY_BASE"] + "/v1"
BLOCKING, STREAMING = models.ResponseMode.BLOCKING, models.ResponseMode.STREAMING


def client(app):
    return Client(api_key=os.environ[f"DIFY_KEY_{app}"], api_base=base)


def chat(app, query):
    answer = client(app).chat_messages(models.ChatRequest(query=query, response_mode=BLOCKING, user="typed"), timeout=30.0)
    assert query in answer.answer, answer
    assert answer.metadata.usage.total_tokens > 0
    request = models.ChatRequest(query=f"{query} streamed", response_mode=STREAMING, user="typed")
    events = list(client(app).chat_messages(request, timeout=30.0))
    assert f"{query} streamed" in "".join(e.answer for e in events if e.event == models.StreamEvent.MESSAGE), events
    # Apps drawn as a graph say last that the graph has run.
    kinds = [e.event for e in events]
    last = [models.StreamEvent.MESSAGE_END] + [models.StreamEvent.WORKFLOW_FINISHED] * (app == "ADVANCED_CHAT")
    assert kinds[-len(last):] == last, kinds
    return answer, events


answer, _ = chat("CHAT", "typed hello")
feedback = models.FeedbackRequest(rating=models.Rating.LIKE, user="typed")
assert client("CHAT").feedback_messages(answer.message_id, feedback).result == "success"
assert client("CHAT").suggest_messages(answer.message_id, models.ChatSuggestRequest(user="typed"), timeout=30.0).result == "success"

_, events = chat("ADVANCED_CHAT", "typed chatflow")
kinds = [e.event for e in events]
for kind in (models.StreamEvent.WORKFLOW_STARTED, models.StreamEvent.NODE_STARTED, models.StreamEvent.NODE_FINISHED,
             models.StreamEvent.WORKFLOW_FINISHED):
    assert kind in kinds, kinds

run = models.WorkflowsRunRequest(inputs={"query": "typed run"}, response_mode=BLOCKING, user="typed")
finished = client("WORKFLOW").run_workflows(run, timeout=30.0)
assert finished.data.status == models.WorkflowStatus.SUCCEEDED and "typed run" in finished.data.outputs["text"], finished
run.response_mode = STREAMING
events = list(client("WORKFLOW").run_workflows(run, timeout=30.0))
assert events[0].event == models.StreamEvent.WORKFLOW_STARTED and events[-1].event == models.StreamEvent.WORKFLOW_FINISHED

uploaded = client("CHAT").upload_files(("note.txt", b"a note", "text/plain"), models.UploadFileRequest(user="typed"))
assert uploaded.extension == "txt", uploaded

try:
    Client(api_key="app-nobody", api_base=base).chat_messages(models.ChatRequest(query="x", response_mode=BLOCKING, user="typed"))
except errors.DifyAPIError as refused:
    assert refused.status == 401, refused
else:
    raise AssertionError("a wrong key was taken")


async def parallel():
    """Several conversations at once over one asynchronous client."""
    asynchronous = AsyncClient(api_key=os.environ["DIFY_KEY_CHAT"], api_base=base)

    async def one(number):
        request = models.ChatRequest(query=f"number {number}", response_mode=STREAMING, user="typed")
        return "".join([e.answer async for e in await asynchronous.achat_messages(request, timeout=30.0)
                        if e.event == models.StreamEvent.MESSAGE])

    for number, text in enumerate(await asyncio.gather(*(one(n) for n in range(8)))):
        assert f"number {number}" in text, text


asyncio.run(parallel())
