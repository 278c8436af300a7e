//! What is in a database, as comparable lines.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgConnection;

use crate::Result;

/// A table, column, constraint, … of the schema we work in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// `table`, `column`, `constraint`, `index`, `sequence`, `function` or `extension`.
    pub kind: String,
    /// Unique within the kind: `accounts.email`.
    pub name: String,
    /// All that matters about it: `character varying(255) NOT NULL`.
    pub definition: String,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}", self.kind, self.name, self.definition)
    }
}

/// A difference between a database and what the migrations leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// Should be there.
    Missing(Object),
    /// Is there in another form.
    Different {
        /// What should be there.
        expected: Object,
        /// The definition found instead.
        found: String,
    },
    /// Is there for reasons of its own, for example an operator's index.
    Extra(Object),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(Object { kind, name, definition }) => {
                write!(f, "missing {kind} {name}: {definition}")
            }
            Self::Different { expected: Object { kind, name, definition }, found } => {
                write!(f, "{kind} {name} is {found}, not {definition}")
            }
            Self::Extra(Object { kind, name, definition }) => {
                write!(f, "extra {kind} {name}: {definition}")
            }
        }
    }
}

/// Objects from lines of kind, name and definition with tabs between.
pub(super) fn parse(text: &str) -> Vec<Object> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t').map(str::to_owned);
            Some(Object { kind: parts.next()?, name: parts.next()?, definition: parts.next()? })
        })
        .collect()
}

pub(super) fn compare(expected: &[Object], found: &[Object]) -> Vec<Drift> {
    let mut rest: BTreeMap<_, _> = found.iter().map(|o| ((&*o.kind, &*o.name), o)).collect();
    let mut drift = Vec::new();
    for object in expected {
        match rest.remove(&(&*object.kind, &*object.name)) {
            None => drift.push(Drift::Missing(object.clone())),
            Some(other) if other.definition == object.definition => {}
            Some(other) => drift.push(Drift::Different {
                expected: object.clone(),
                found: other.definition.clone(),
            }),
        }
    }
    drift.extend(rest.into_values().cloned().map(Drift::Extra));
    drift
}

/// The schema we work in, sorted by kind and name.
///
/// Left out: who owns what, comments, versions of extensions, and `NOT NULL` as a constraint
/// (PostgreSQL 18 lists it, earlier ones do not; columns have it everywhere).
pub(super) async fn read(db: &mut PgConnection) -> Result<Vec<Object>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        r#"
        WITH relation AS (
            SELECT c.oid, c.relname::text AS name, c.relkind AS kind
            FROM pg_class c
            WHERE c.relnamespace = current_schema()::regnamespace
              AND NOT EXISTS (
                  SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
              )
        ), object (kind, name, definition) AS (
            SELECT 'table', name,
                   CASE kind WHEN 'r' THEN 'plain' WHEN 'p' THEN 'partitioned' ELSE 'foreign' END
            FROM relation WHERE kind IN ('r', 'p', 'f')
            UNION ALL
            SELECT 'view', name, md5(pg_get_viewdef(oid)) FROM relation WHERE kind IN ('v', 'm')
            UNION ALL
            SELECT 'column', r.name || '.' || a.attname,
                   format_type(a.atttypid, a.atttypmod)
                   || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
                   || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
            FROM relation r
            JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
            WHERE r.kind IN ('r', 'p', 'f')
            UNION ALL
            SELECT 'constraint', r.name || '.' || c.conname, pg_get_constraintdef(c.oid)
            FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype <> 'n'
            UNION ALL
            SELECT 'index', r.name || '.' || i.relname,
                   CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END
                   || CASE WHEN x.indisvalid THEN '' ELSE 'INVALID ' END
                   || regexp_replace(pg_get_indexdef(i.oid), '^.*? USING ', '')
            FROM relation r
            JOIN pg_index x ON x.indrelid = r.oid
            JOIN pg_class i ON i.oid = x.indexrelid
            WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)
               OR NOT x.indisvalid
            UNION ALL
            SELECT 'sequence', r.name, format_type(s.seqtypid, NULL) || ' from ' || s.seqstart
            FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
            UNION ALL
            SELECT 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
                   format('returns %s language %s volatility %s parallel %s%s body %s',
                          pg_get_function_result(p.oid), l.lanname, p.provolatile, p.proparallel,
                          CASE WHEN p.proisstrict THEN ' strict' ELSE '' END,
                          md5(regexp_replace(p.prosrc, '\s+', ' ', 'g')))
            FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
            WHERE p.pronamespace = current_schema()::regnamespace
              AND p.prokind = 'f'
              AND NOT EXISTS (
                  SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
              )
            UNION ALL
            SELECT 'extension', extname::text, 'installed'
            FROM pg_extension WHERE extname <> 'plpgsql'
        )
        SELECT kind, name, definition FROM object
        ORDER BY kind COLLATE "C", name COLLATE "C"
        "#,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(kind, name, definition)| Object { kind, name, definition }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_missing_different_or_extra() {
        let expected = parse("table\ta\tplain\ncolumn\ta.b\tuuid NOT NULL\ntable\tc\tplain\n");
        let found = parse("table\ta\tplain\ncolumn\ta.b\tuuid\ntable\td\tplain\n");
        let lines: Vec<_> = compare(&expected, &found).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "column a.b is uuid, not uuid NOT NULL",
                "missing table c: plain",
                "extra table d: plain"
            ]
        );
        assert_eq!(compare(&expected, &expected), []);
    }
}
