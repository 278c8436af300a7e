use crypto::file_link::{Audience, FileLinks, PluginUpload, Presented, Stamp};
use serde_json::Value;

use crate::{golden, list, starting_with, text};

fn links(data: &Value) -> FileLinks {
    let env = data.pointer("/header/env").unwrap();
    let secret: String =
        starting_with(env, "SECRET_KEY").iter().map(|part| part.as_str().unwrap()).collect();
    let base = |name: &str| env.get(name).and_then(Value::as_str).unwrap_or_default();
    FileLinks::new(&secret, base("FILES_URL"), base("INTERNAL_FILES_URL"), 300)
}

fn stamp(data: &Value) -> Stamp {
    Stamp {
        timestamp: data.pointer("/header/fixed/time").unwrap().as_i64().unwrap(),
        nonce: text(data, "/header/fixed/nonce_hex").to_owned(),
    }
}

#[test]
fn links_are_the_references() {
    let data = golden("file_url_signatures");
    let (links, stamp) = (links(&data), stamp(&data));
    for case in list(&data, "/cases") {
        let input = &case["input"];
        let flag =
            |name: &str, default| input.get(name).and_then(Value::as_bool).unwrap_or(default);
        let audience =
            if flag("for_external", true) { Audience::Public } else { Audience::Internal };
        let made = match text(input, "/kind") {
            "file-preview" => links.upload(
                text(input, "/upload_file_id"),
                audience,
                flag("as_attachment", false),
                &stamp,
            ),
            "image-preview" => links.image(text(input, "/upload_file_id"), &stamp),
            "tool-file" => links.tool_file(
                text(input, "/tool_file_id"),
                text(input, "/extension"),
                audience,
                &stamp,
            ),
            "tool-file-manager" => links.tool_file(
                text(input, "/tool_file_id"),
                text(input, "/extension"),
                Audience::Internal,
                &stamp,
            ),
            "datasource-file" => links.datasource_file(
                text(input, "/datasource_file_id"),
                text(input, "/extension"),
                &stamp,
            ),
            "plugin-upload" => links.plugin_upload(
                &PluginUpload {
                    filename: text(input, "/filename"),
                    mimetype: text(input, "/mimetype"),
                    tenant: text(input, "/tenant_id"),
                    user: text(input, "/user_id"),
                },
                &stamp,
            ),
            other => panic!("unknown kind {other}"),
        };
        assert_eq!(made, text(case, "/output"), "{}", text(case, "/id"));
    }
}

#[test]
fn links_open_until_they_expire() {
    let data = golden("file_url_signatures");
    let links = links(&data);
    for case in list(&data, "/verify_cases") {
        let link = Presented {
            timestamp: text(case, "/input/timestamp"),
            nonce: text(case, "/input/nonce"),
            sign: text(case, "/input/sign"),
        };
        let id = text(case, "/input/upload_file_id");
        let now = case.pointer("/input/now").unwrap().as_i64().unwrap();
        let opens = match text(case, "/input/kind") {
            "image-preview" => links.opens_image(id, &link, now),
            _ => links.opens_file(id, &link, now),
        };
        assert_eq!(opens, case["valid"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn signatures_are_the_vectors() {
    let vectors = golden("vectors");
    let links = FileLinks::new(&crate::vectors_secret(&vectors), "", "", 10);
    let parts = |path: &str| -> Vec<String> {
        text(&vectors, path).split('|').map(str::to_owned).collect()
    };
    let sign = |kind: &str| text(&vectors, &format!("/file_signatures/{kind}/sign")).to_owned();
    let now = 1_700_000_000;
    for (kind, upload) in [("file_preview", true), ("image_preview", false)] {
        let message = parts(&format!("/file_signatures/{kind}/message"));
        let sign = sign(kind);
        let link = Presented { timestamp: &message[2], nonce: &message[3], sign: &sign };
        assert_eq!(links.opens_file(&message[1], &link, now), upload);
        assert_eq!(links.opens_image(&message[1], &link, now), !upload);
    }
    let message = parts("/file_signatures/plugin_upload/message");
    let file = PluginUpload {
        filename: &message[1],
        mimetype: &message[2],
        tenant: &message[3],
        user: &message[4],
    };
    let sign = sign("plugin_upload");
    let link = Presented { timestamp: &message[5], nonce: &message[6], sign: &sign };
    assert!(links.allows_upload(&file, &link, now));
    assert!(!links.allows_upload(&PluginUpload { tenant: "t2", ..file }, &link, now));
    assert!(!links.allows_upload(&file, &link, now + 11));
}

#[test]
fn links_in_texts_are_signed_anew() {
    let data = golden("segment_sign_content");
    let (links, stamp) = (links(&data), stamp(&data));
    for case in list(&data, "/cases") {
        let signed = links.sign_text(text(case, "/input"), || stamp.clone());
        match text(case, "/id") {
            // The reference leaves the old query behind the new one, and corrupts a text whose
            // image link comes after a file link; we do neither (docs/deviations.md).
            "sign4" => {
                assert!(
                    signed.ends_with("MpA=) tail") && signed.matches("timestamp").count() == 1,
                    "{signed}"
                );
            }
            "sign6" => {
                assert_eq!(signed.matches("&sign=").count(), 2);
                assert!(
                    signed.starts_with("bug ![f](/files/6b0b") && signed.ends_with(") z"),
                    "{signed}"
                );
            }
            id => assert_eq!(signed, text(case, "/output"), "{id}"),
        }
    }
}
