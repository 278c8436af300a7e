//! Notion's API.

use super::*;

pub(super) fn unreachable(err: &net::NetError) -> NotionError {
    tracing::warn!(error = %err, "Notion did not answer");
    NotionError::Process
}

/// Notion's API with a workspace's token.
pub(super) struct Notion<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) token: &'a str,
}

impl Notion<'_> {
    /// `{pages, total}` of everything the token opens.
    pub(super) async fn source_info(&self) -> Result<Map<String, Value>, NotionError> {
        let mut parents = HashMap::new();
        let mut pages = Vec::new();
        for kind in ["page", "database"] {
            for found in self.search(kind).await? {
                pages.push(self.summary(kind, &found, &mut parents).await?);
            }
        }
        let mut info = Map::new();
        info.insert("total".to_owned(), pages.len().into());
        info.insert("pages".to_owned(), Value::Array(pages));
        Ok(info)
    }

    async fn search(&self, kind: &str) -> Result<Vec<Value>, NotionError> {
        let mut results = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_STEPS {
            let mut body = json!({"filter": {"value": kind, "property": "object"}});
            if let Some(cursor) = &cursor {
                body["start_cursor"] = cursor.as_str().into();
            }
            let call = self.ctx.http.upstream().post(format!("{API}/search")).json(&body);
            let (_, mut answer) = self.send(call).await?;
            if let Some(Value::Array(found)) = answer.get_mut("results").map(Value::take) {
                results.extend(found);
            }
            cursor = answer.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if answer.get("has_more").and_then(Value::as_bool) != Some(true) || cursor.is_none() {
                break;
            }
        }
        Ok(results)
    }

    async fn summary(
        &self,
        kind: &str,
        found: &Value,
        parents: &mut HashMap<String, String>,
    ) -> Result<Value, NotionError> {
        let title = if kind == "page" { page_title(found) } else { database_title(found) };
        let parent = found.get("parent").unwrap_or(&Value::Null);
        let parent_type = parent.get("type").and_then(Value::as_str).unwrap_or("workspace");
        let parent_id = match parent_type {
            "workspace" => "root".to_owned(),
            "block_id" => {
                let block = text(parent, "block_id");
                match parents.get(&block) {
                    Some(known) => known.clone(),
                    None => {
                        let page = self.page_of_block(&block).await?;
                        parents.insert(block, page.clone());
                        page
                    }
                }
            }
            other => text(parent, other),
        };
        Ok(json!({
            "page_id": text(found, "id"),
            "page_name": title.unwrap_or_else(|| "Untitled".to_owned()),
            "page_icon": icon(found.get("icon")),
            "parent_id": parent_id,
            "type": kind,
        }))
    }

    async fn page_of_block(&self, block: &str) -> Result<String, NotionError> {
        let mut block = block.to_owned();
        for _ in 0..MAX_STEPS {
            let call = self.ctx.http.upstream().get(format!("{API}/blocks/{block}"));
            let (is_ok, answer) = self.send(call).await?;
            if !is_ok {
                let message =
                    answer.get("message").and_then(Value::as_str).unwrap_or("unknown error");
                return Err(NotionError::Refused(format!(
                    "Error fetching block parent page ID: {message}"
                )));
            }
            let parent = answer.get("parent").unwrap_or(&Value::Null);
            match parent.get("type").and_then(Value::as_str) {
                Some("block_id") => block = text(parent, "block_id"),
                Some(other) => return Ok(text(parent, other)),
                None => break,
            }
        }
        Ok("root".to_owned())
    }

    pub(super) async fn workspace_name(&self) -> Result<String, NotionError> {
        let (_, user) = self.send(self.ctx.http.upstream().get(format!("{API}/users/me"))).await?;
        let name = user
            .get("type")
            .and_then(Value::as_str)
            .and_then(|kind| user.get(kind)?.get("workspace_name")?.as_str());
        Ok(name.unwrap_or("workspace").to_owned())
    }

    async fn send(&self, call: net::Call) -> Result<(bool, Value), NotionError> {
        let response = call
            .bearer(self.token)
            .header("Notion-Version", VERSION)
            .timeout(TIMEOUT)
            .send()
            .await
            .map_err(|err| unreachable(&err))?;
        let is_ok = response.is_success();
        Ok((is_ok, response.json(MAX_ANSWER).await.map_err(|err| unreachable(&err))?))
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn page_title(page: &Value) -> Option<String> {
    let properties = page.get("properties")?.as_object()?;
    properties
        .values()
        .filter_map(|property| {
            property.get("title")?.as_array()?.first()?.get("plain_text")?.as_str()
        })
        .next_back()
        .map(str::to_owned)
}

fn database_title(database: &Value) -> Option<String> {
    Some(database.get("title")?.as_array()?.first()?.get("plain_text")?.as_str()?.to_owned())
}

fn icon(icon: Option<&Value>) -> Value {
    let Some(icon) = icon.filter(|icon| icon.is_object()) else { return Value::Null };
    let kind = text(icon, "type");
    let given = icon.get(&kind).unwrap_or(&Value::Null);
    if matches!(kind.as_str(), "external" | "file") {
        let url = text(given, "url");
        let url =
            if url.parse::<Url>().is_ok() { url } else { format!("https://www.notion.so{url}") };
        return json!({"type": "url", "url": url});
    }
    json!({"type": "emoji", "emoji": given})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_addresses_or_emoji() {
        for (given, expected) in [
            (json!(null), json!(null)),
            (json!({"type": "emoji", "emoji": "🙂"}), json!({"type": "emoji", "emoji": "🙂"})),
            (
                json!({"type": "external", "external": {"url": "/images/x.png"}}),
                json!({"type": "url", "url": "https://www.notion.so/images/x.png"}),
            ),
            (
                json!({"type": "file", "file": {"url": "https://f/x.png"}}),
                json!({"type": "url", "url": "https://f/x.png"}),
            ),
        ] {
            assert_eq!(icon(Some(&given)), expected);
        }
    }

    #[test]
    fn titles_are_found_among_the_properties() {
        let page =
            json!({"properties": {"Tags": {"x": 1}, "Name": {"title": [{"plain_text": "Plan"}]}}});
        assert_eq!(page_title(&page).as_deref(), Some("Plan"));
        assert_eq!(database_title(&json!({"title": []})), None);
    }
}
