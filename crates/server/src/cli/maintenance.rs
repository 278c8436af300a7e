//! Commands that mend or make accounts and workspaces, under the reference's names. What is not given is asked for.

use std::{
    io::{BufRead as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Subcommand;
use config::Config;
use services_account::{AccountError, maintenance};
use services_core::{Ctx, Failure as _};

use crate::wiring;

/// See each variant.
#[derive(Subcommand)]
pub enum Command {
    /// Set an account's password, and lift a lock of its sign-in.
    ResetPassword {
        /// The account.
        #[arg(long)]
        email: Option<String>,
        /// The password.
        #[arg(long)]
        new_password: Option<String>,
        /// The password again.
        #[arg(long)]
        password_confirm: Option<String>,
    },
    /// Move an account to another address.
    ResetEmail {
        /// The account.
        #[arg(long)]
        email: Option<String>,
        /// The address.
        #[arg(long)]
        new_email: Option<String>,
        /// The address again.
        #[arg(long)]
        email_confirm: Option<String>,
    },
    /// Make an account with a workspace, and print the password made up for it.
    CreateTenant {
        /// The account.
        #[arg(long)]
        email: Option<String>,
        /// The workspace.
        #[arg(long)]
        name: Option<String>,
        /// A language of the console, like en-US.
        #[arg(long)]
        language: Option<String>,
    },
    /// Give every workspace a new key pair. Model credentials are lost and must be entered again.
    ResetEncryptKeyPair {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

impl Command {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let asked = self.complete()?;
        let Some(asked) = asked else { return Ok(ExitCode::FAILURE) };
        let wired = wiring::open(config).await?;
        let outcome = asked.carry_out(&wired.state.ctx).await;
        wired.close().await;
        match outcome {
            Ok(text) => {
                super::print(&format!("{text}\n"));
                Ok(ExitCode::SUCCESS)
            }
            Err(err) if err.status() < 500 => {
                super::print(&format!("{err}\n"));
                Ok(ExitCode::FAILURE)
            }
            Err(err) => Err(err.into()),
        }
    }

    /// Asks for what was not given; nothing if the answer is no.
    fn complete(self) -> anyhow::Result<Option<Asked>> {
        Ok(Some(match self {
            Self::ResetPassword { email, new_password, password_confirm } => Asked::ResetPassword {
                email: given(email, "Email")?,
                new_password: given(new_password, "New password")?,
                confirm: given(password_confirm, "Password confirm")?,
            },
            Self::ResetEmail { email, new_email, email_confirm } => Asked::ResetEmail {
                email: given(email, "Email")?,
                new_email: given(new_email, "New email")?,
                confirm: given(email_confirm, "Email confirm")?,
            },
            Self::CreateTenant { email, name, language } => Asked::CreateTenant {
                email: given(email, "Email")?,
                name: given(name, "Name")?,
                language: given(language, "Language")?,
            },
            Self::ResetEncryptKeyPair { yes } => {
                let question = "Are you sure you want to reset encrypt key pair? This operation cannot be rolled \
                                back! [y/N]";
                let sure =
                    yes || matches!(given(None, question)?.to_lowercase().as_str(), "y" | "yes");
                if !sure {
                    return Ok(None);
                }
                Asked::ResetEncryptKeyPair
            }
        }))
    }
}

fn given(value: Option<String>, question: &str) -> anyhow::Result<String> {
    if let Some(value) = value {
        return Ok(value);
    }
    super::print(&format!("{question}: "));
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).context("nothing was answered")?;
    anyhow::ensure!(0 < read, "nothing was answered to: {question}");
    Ok(line.trim().to_owned())
}

enum Asked {
    ResetPassword { email: String, new_password: String, confirm: String },
    ResetEmail { email: String, new_email: String, confirm: String },
    CreateTenant { email: String, name: String, language: String },
    ResetEncryptKeyPair,
}

impl Asked {
    async fn carry_out(&self, ctx: &Ctx) -> Result<String, AccountError> {
        match self {
            Self::ResetPassword { email, new_password, confirm } => {
                maintenance::reset_password(ctx, email, new_password, confirm).await?;
                Ok("Password reset successfully.".to_owned())
            }
            Self::ResetEmail { email, new_email, confirm } => {
                maintenance::reset_email(ctx, email, new_email, confirm).await?;
                Ok("Email updated successfully.".to_owned())
            }
            Self::CreateTenant { email, name, language } => {
                let password =
                    maintenance::create_tenant(ctx, email, Some(name), Some(language)).await?;
                Ok(format!(
                    "Account and tenant created.\nAccount: {}\nPassword: {password}",
                    email.trim().to_lowercase()
                ))
            }
            Self::ResetEncryptKeyPair => {
                let count = maintenance::reset_encrypt_key_pairs(ctx).await?;
                Ok(format!(
                    "Congratulations! The asymmetric key pair of {count} workspaces has been reset."
                ))
            }
        }
    }
}
