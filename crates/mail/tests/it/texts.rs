use mail::{Branding, Language, Mail};

const EVIL: &str = "<script>\"x\"&'y'\r\nBcc: a@b.c";

fn all(text: &str) -> Vec<Mail> {
    let text = || text.to_owned();
    vec![
        Mail::ResetPassword { code: text() },
        Mail::ResetPasswordNoAccount { sign_up_url: Some(text()) },
        Mail::ResetPasswordNoAccount { sign_up_url: None },
        Mail::EmailCodeLogin { code: text() },
        Mail::RegisterCode { code: text() },
        Mail::RegisterAccountExists {
            account_name: text(),
            login_url: text(),
            reset_password_url: text(),
        },
        Mail::InviteMember { inviter_name: text(), workspace_name: text(), url: text() },
        Mail::ChangeEmailOld { code: text() },
        Mail::ChangeEmailNew { code: text() },
        Mail::ChangeEmailCompleted { email: text() },
        Mail::OwnerTransferCode { workspace: text(), code: text() },
        Mail::OwnerTransferredOldOwner { workspace: text(), new_owner_email: text() },
        Mail::OwnerTransferredNewOwner { workspace: text() },
        Mail::AccountDeletionCode { code: text() },
        Mail::AccountDeleted { email: text() },
        Mail::QueueMonitorAlert {
            queue_name: text(),
            queue_length: 7,
            threshold: 5,
            alert_time: text(),
        },
        Mail::DocumentsDisabled {
            user_name: text(),
            knowledge_details: vec![text(), text()],
            url: text(),
        },
    ]
}

#[test]
fn every_mail_renders_in_both_languages_with_its_variables_escaped() {
    let branding = Branding { application_title: "A<b>".to_owned() };
    for language in [Language::English, Language::Chinese] {
        for mail in all(EVIL) {
            let rendered = mail.render("to<@x", language, &branding).unwrap();
            assert!(!rendered.subject.contains(['\r', '\n']), "{mail:?}");
            assert!(
                rendered.html.starts_with("<!DOCTYPE html>") && rendered.html.contains("</html>")
            );
            for raw in ["<script>", "to<@x", "A<b>", "\"x\""] {
                assert!(!rendered.html.contains(raw), "{mail:?}: {raw}");
            }
            assert!(rendered.html.contains("A&lt;b&gt;"), "{mail:?}");
        }
    }
}

#[test]
fn every_variable_is_said() {
    for language in [Language::English, Language::Chinese] {
        let mut silent = Vec::new();
        for mail in all("VALUE") {
            let said = mail.render("me@x", language, &Branding::default()).unwrap().html;
            let given = format!("{mail:?}").matches("VALUE").count();
            if said.matches("VALUE").count() < given {
                silent.push(mail);
            }
        }
        assert_eq!(silent, []);
    }
}

#[test]
fn subjects() {
    let subjects = |language| -> Vec<String> {
        all("X")
            .iter()
            .map(|m| m.render("t", language, &Branding::default()).unwrap().subject)
            .collect()
    };
    assert_eq!(
        subjects(Language::English),
        [
            "Your code for a new Dify password",
            "About your Dify password request",
            "About your Dify password request",
            "Your Dify sign-in code",
            "Finish creating your Dify account",
            "You already have a Dify account",
            "You are invited to X on Dify",
            "Confirm your current address",
            "Confirm your new address",
            "You now sign in with a new address",
            "Confirm handing over X",
            "X has a new owner",
            "X is yours now",
            "Code to delete your Dify account",
            "Your Dify account is deleted",
            "Too many jobs are waiting in X",
            "Unused documents in Dify were disabled",
        ]
    );
    assert_eq!(
        subjects(Language::Chinese),
        [
            "Dify 密码设置验证码",
            "关于您的 Dify 密码重置请求",
            "关于您的 Dify 密码重置请求",
            "Dify 登录验证码",
            "完成 Dify 账户注册",
            "您已拥有 Dify 账户",
            "邀请您加入 Dify 工作空间 X",
            "请确认您当前的邮箱",
            "请确认您的新邮箱",
            "您的登录邮箱已更换",
            "请确认移交工作空间 X",
            "工作空间 X 已移交给新的所有者",
            "您已成为工作空间 X 的所有者",
            "Dify 账户删除验证码",
            "您的 Dify 账户已删除",
            "队列 X 中等待的任务过多",
            "Dify 中长期未使用的文档已停用",
        ]
    );
}

#[test]
fn only_simplified_chinese_is_not_english() {
    assert_eq!(Language::from_code("zh-Hans"), Language::Chinese);
    for code in ["en-US", "ja-JP", "zh-Hant", ""] {
        assert_eq!(Language::from_code(code), Language::English);
    }
}
