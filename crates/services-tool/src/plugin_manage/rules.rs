//! Which plugins the installation allows.

use super::*;

/// What the installation allows.
pub(super) struct Rules(PluginInstallationPermission);

impl Rules {
    /// Rules of packages that do not come from the marketplace.
    pub(super) async fn of_uploads(ctx: &Ctx) -> Result<Self, ToolError> {
        let rules = Self::load(ctx).await?;
        if rules.0.restrict_to_marketplace_only {
            return Err(ToolError::invalid(
                "Plugin installation is restricted to marketplace only",
            ));
        }
        Ok(rules)
    }

    /// Rules of packages that come from the marketplace.
    pub(super) async fn of_marketplace(ctx: &Ctx) -> Result<Self, ToolError> {
        if !ctx.config.feature.marketplace_enabled {
            return Err(ToolError::invalid("marketplace is not enabled"));
        }
        Self::load(ctx).await
    }

    async fn load(ctx: &Ctx) -> Result<Self, ToolError> {
        Ok(Self(feature::system_features(ctx, true).await?.plugin_installation_permission))
    }

    pub(super) async fn take_in(
        &self,
        daemon: &Daemon,
        tenant: TenantId,
        package: Bytes,
    ) -> Result<DecodedPackage, ToolError> {
        let verify = self.0.restrict_to_marketplace_only;
        let decoded = daemon.upload_package(tenant, package, verify).await?;
        self.check(decoded.verification.as_ref())?;
        Ok(decoded)
    }

    pub(super) fn check(&self, verification: Option<&Verification>) -> Result<(), ToolError> {
        let by = verification.map(|it| it.authorized_category.as_str());
        let refusal = match self.0.plugin_installation_scope.as_str() {
            "official_only" if by != Some("langgenius") => {
                "Plugin installation is restricted to official only"
            }
            "official_and_specific_partners" if !matches!(by, Some("langgenius" | "partner")) => {
                "Plugin installation is restricted to official and specific partners"
            }
            "none" => "Installing plugins is not allowed",
            _ => return Ok(()),
        };
        Err(ToolError::invalid(refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_says_whose_plugins_may_be_installed() {
        for (scope, by, allowed) in [
            ("all", None, true),
            ("none", Some("langgenius"), false),
            ("official_only", Some("langgenius"), true),
            ("official_only", Some("partner"), false),
            ("official_and_specific_partners", Some("partner"), true),
            ("official_and_specific_partners", Some("community"), false),
            ("official_and_specific_partners", None, false),
        ] {
            let rules = Rules(PluginInstallationPermission {
                plugin_installation_scope: scope.to_owned(),
                restrict_to_marketplace_only: false,
            });
            let verification = by.map(|by| Verification { authorized_category: by.to_owned() });
            assert_eq!(rules.check(verification.as_ref()).is_ok(), allowed, "{scope} {by:?}");
        }
    }
}
