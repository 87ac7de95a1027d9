//! Makes what `wasm-bindgen` writes smaller: the module's imports and the JavaScript that serves
//! them.

use std::convert::Infallible;

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{ImportSection, Module};
use wasmparser::{ImportSectionReader, Parser};

/// What serves the imports, as the module calls it.
const GLUE: &str = "./frontend_bg.js";

/// The module and its JavaScript with short names for what the one imports from the other.
///
/// The names have a hash each, which no compression makes smaller, and nobody else knows them.
pub(crate) fn with_short_names(module: &[u8], script: &str) -> Result<(Vec<u8>, String)> {
    let mut names = Names {
        script: script.to_owned(),
        given: 0,
    };
    let mut renamed = Module::new();
    names
        .parse_core_module(&mut renamed, Parser::new(0), module)
        .map_err(|error| anyhow!("cannot write the WebAssembly module: {error}"))?;
    Ok((renamed.finish(), names.script))
}

struct Names {
    script: String,
    given: usize,
}

impl Names {
    /// A short name for an import; its own where the script does not have it as a property, once.
    fn short(&mut self, name: &str) -> String {
        let property = format!(" {name}: ");
        if self.script.matches(&property).count() != 1 {
            return name.to_owned();
        }
        let short = format!("i{}", self.given);
        self.given += 1;
        self.script = self.script.replace(&property, &format!(" {short}: "));
        short
    }
}

impl Reencode for Names {
    type Error = Infallible;

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section.into_imports() {
            let import = import?;
            let name = match import.module {
                GLUE => self.short(import.name),
                _ => import.name.to_owned(),
            };
            imports.import(import.module, &name, self.entity_type(import.ty)?);
        }
        Ok(())
    }
}

/// JavaScript without indentation and without comments that have lines of their own.
///
/// Not for scripts with such lines in a string.
pub(crate) fn trimmed(script: &str) -> String {
    let mut trimmed = String::new();
    let mut inside = false;
    for line in script.lines().map(str::trim) {
        inside |= line.starts_with("/*");
        if !inside && !line.is_empty() && !line.starts_with("//") {
            trimmed.push_str(line);
            trimmed.push('\n');
        }
        inside &= !line.ends_with("*/");
    }
    trimmed
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{EntityType, TypeSection};
    use wasmparser::Payload;

    use super::*;

    #[test]
    fn the_module_and_the_script_agree_about_the_short_names() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        for name in ["__wbg_now_0123", "__wbg_now_0123_more", "absent"] {
            imports.import(GLUE, name, EntityType::Function(0));
        }
        imports.import("./other.js", "__wbg_now_0123", EntityType::Function(0));
        let mut module = Module::new();
        module.section(&types).section(&imports);
        let script = "return { __wbg_now_0123: f, __wbg_now_0123_more: g };";

        let (module, script) = with_short_names(&module.finish(), script).unwrap();
        assert_eq!(script, "return { i0: f, i1: g };");
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(&module) {
            if let Payload::ImportSection(section) = payload.unwrap() {
                let all = section.into_imports();
                names.extend(all.map(|import| import.unwrap().name.to_owned()));
            }
        }
        assert_eq!(names, ["i0", "i1", "absent", "__wbg_now_0123"]);
    }

    #[test]
    fn comments_on_lines_of_their_own_and_indentation_go() {
        let script = "/**\n * Says it.\n */\nfunction f() {\n  // Why.\n  return \"//\"; // stays\n}\n/* one line */\nf();\n";
        assert_eq!(
            trimmed(script),
            "function f() {\nreturn \"//\"; // stays\n}\nf();\n"
        );
    }
}
