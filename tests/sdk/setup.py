#!/usr/bin/env python3
"""Sets a fresh server up through its console API and prints what the client tests need, as shell exports.

setup.py BASE LLM_BASE [LLM_KEY] [MODEL]
Needs the standard library only. Makes an account, an OpenAI provider and one app of each mode with an API key.
"""
import base64
import http.cookiejar
import json
import sys
import urllib.error
import urllib.request

EMAIL, PASSWORD = "sdk@example.com", "Sdk-passw0rd1"
PROVIDER = "langgenius/openai/openai"


class Console:
    """A signed-in console session."""

    def __init__(self, base):
        self.base = base.rstrip("/") + "/console/api"
        self.jar = http.cookiejar.CookieJar()
        self.open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar)).open

    def call(self, method, path, body=None):
        """One call; raises with the server's answer when it is refused."""
        request = urllib.request.Request(self.base + path, method=method)
        request.add_header("Content-Type", "application/json")
        for cookie in self.jar:
            if cookie.name.endswith("csrf_token"):
                request.add_header("X-CSRF-Token", cookie.value)
        data = json.dumps({} if body is None else body).encode() if method != "GET" else None
        try:
            with self.open(request, data) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise SystemExit(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
        return json.loads(text) if text else None


def model(name):
    return {"provider": PROVIDER, "name": name, "mode": "chat", "completion_params": {}}


def basic_config(name, variables, prompt):
    """A model configuration of a chat or completion app with everything optional off."""
    off = {"enabled": False}
    return {
        "pre_prompt": prompt, "prompt_type": "simple", "model": model(name),
        "user_input_form": [{"text-input": {"label": v, "variable": v, "required": True, "max_length": 200, "default": ""}} for v in variables],
        "opening_statement": "", "suggested_questions": [], "suggested_questions_after_answer": {"enabled": True},
        "speech_to_text": off, "text_to_speech": off, "retriever_resource": off, "more_like_this": off,
        "sensitive_word_avoidance": off, "agent_mode": {"enabled": False, "tools": []},
        "dataset_configs": {"retrieval_model": "multiple", "datasets": {"datasets": []}},
        "file_upload": {"image": {"enabled": False, "number_limits": 3, "detail": "high",
                                  "transfer_methods": ["remote_url", "local_file"]}},
    }


def node(node_id, kind, title, **data):
    return {"id": node_id, "type": "custom", "position": {"x": 0, "y": 0}, "data": {"type": kind, "title": title, **data}}


def edge(source, target):
    return {"id": f"{source}-{target}", "source": source, "sourceHandle": "source", "target": target,
            "targetHandle": "target", "type": "custom", "data": {}}


def llm_node(name, selector):
    return node("llm", "llm", "LLM", model=model(name), context={"enabled": False, "variable_selector": []},
                vision={"enabled": False}, variables=[],
                prompt_template=[{"id": "1", "role": "user", "text": "{{#" + selector + "#}}"}])


def workflow_graph(name):
    question = {"variable": "query", "label": "query", "type": "paragraph", "required": True, "options": [], "max_length": 1000}
    return [node("start", "start", "Start", variables=[question]), llm_node(name, "start.query"),
            node("end", "end", "End", outputs=[{"variable": "text", "value_selector": ["llm", "text"]}])]


def chatflow_graph(name):
    return [node("start", "start", "Start", variables=[]), llm_node(name, "sys.query"),
            node("answer", "answer", "Answer", answer="{{#llm.text#}}", variables=[])]


def publish(console, app, nodes):
    """Saves a straight line of nodes as the app's draft and publishes it."""
    ids = [n["id"] for n in nodes]
    graph = {"nodes": nodes, "edges": [edge(a, b) for a, b in zip(ids, ids[1:])], "viewport": {"x": 0, "y": 0, "zoom": 1}}
    draft = {"graph": graph, "features": {}, "environment_variables": [], "conversation_variables": []}
    console.call("POST", f"/apps/{app}/workflows/draft", draft)
    console.call("POST", f"/apps/{app}/workflows/publish", {"marked_name": "", "marked_comment": ""})


def main():
    base, llm = sys.argv[1], sys.argv[2]
    key = sys.argv[3] if len(sys.argv) > 3 else "sk-test"
    name = sys.argv[4] if len(sys.argv) > 4 else "gpt-4o-mini"
    console = Console(base)
    console.call("POST", "/setup", {"email": EMAIL, "name": "Sdk", "password": PASSWORD})
    password = base64.b64encode(PASSWORD.encode()).decode()
    console.call("POST", "/login", {"email": EMAIL, "password": password, "remember_me": True})
    console.call("POST", f"/workspaces/current/model-providers/{PROVIDER}/credentials",
                 {"credentials": {"openai_api_key": key, "openai_api_base": llm}, "name": "sdk"})
    print(f"export DIFY_BASE={base.rstrip('/')}")
    for mode in ("chat", "completion", "workflow", "advanced-chat"):
        app = console.call("POST", "/apps", {"name": f"sdk {mode}", "mode": mode, "icon_type": "emoji", "icon": "🤖",
                                             "icon_background": "#FFEAD5"})["id"]
        if mode == "chat":
            console.call("POST", f"/apps/{app}/model-config", basic_config(name, [], ""))
        elif mode == "completion":
            console.call("POST", f"/apps/{app}/model-config", basic_config(name, ["query"], "{{query}}"))
        else:
            publish(console, app, workflow_graph(name) if mode == "workflow" else chatflow_graph(name))
        token = console.call("POST", f"/apps/{app}/api-keys")["token"]
        print(f"export DIFY_KEY_{mode.replace('-', '_').upper()}={token}")


if __name__ == "__main__":
    main()
