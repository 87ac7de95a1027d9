//! Puts a module's functions in an order in which it compresses better.
//!
//! Compilers write functions in an order of their own, `wasm-bindgen` by falling size. Those of one
//! type whose bytes begin alike are much the same further on: side by side, the second costs next
//! to nothing. Functions that are equal become one: the linker no more tells apart what only
//! differed before it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context, Result, anyhow};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, FunctionBody, FunctionSectionReader, Parser, Payload,
    TypeRef,
};

/// Equal functions call equal functions: those that call them may become equal in their turn.
const ROUNDS: usize = 8;

/// The module with its functions in the new order, and without custom sections: browsers need none.
pub(crate) fn in_order(module: &[u8]) -> Result<Vec<u8>> {
    let mut module = module.to_vec();
    for _ in 0..ROUNDS {
        let before = module.len();
        module = once(&module)?;
        if module.len() == before {
            break;
        }
    }
    Ok(module)
}

fn once(module: &[u8]) -> Result<Vec<u8>> {
    let functions = Functions::read(module).context("cannot read the WebAssembly module")?;
    let mut order = functions.order();
    let mut ordered = Module::new();
    order
        .parse_core_module(&mut ordered, Parser::new(0), module)
        .map_err(|error| anyhow!("cannot write the WebAssembly module: {error}"))?;
    let ordered = ordered.finish();
    wasmparser::validate(&ordered).context("the ordered WebAssembly module is not valid")?;
    Ok(ordered)
}

/// The functions of a module, as they are in it.
#[derive(Default)]
struct Functions<'a> {
    imported: u32,
    types: Vec<u32>,
    bodies: Vec<&'a [u8]>,
}

impl<'a> Functions<'a> {
    fn read(module: &'a [u8]) -> wasmparser::Result<Self> {
        let mut functions = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        functions.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    functions.types = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => functions.bodies.push(body.as_bytes()),
                _ => {}
            }
        }
        Ok(functions)
    }

    fn order(&self) -> Order {
        let mut alike: BTreeMap<(u32, &[u8]), Vec<usize>> = BTreeMap::new();
        for (place, key) in self.types.iter().zip(&self.bodies).enumerate() {
            alike.entry((*key.0, key.1)).or_default().push(place);
        }
        let mut order = Order {
            imported: self.imported,
            written: Vec::new(),
            places: vec![0; self.types.len()],
        };
        for equal in alike.values() {
            for old in equal {
                order.places[*old] = self.imported + order.written.len() as u32;
            }
            order.written.extend(equal.first());
        }
        order
    }
}

/// Which functions are written, and where each is found then.
struct Order {
    imported: u32,
    /// The old places of those that are written, in their new order.
    written: Vec<usize>,
    /// The new index of the function at each old place.
    places: Vec<u32>,
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(match function.checked_sub(self.imported) {
            Some(place) => self.places[place as usize],
            None => function,
        })
    }

    fn parse_custom_section(
        &mut self,
        _: &mut Module,
        _: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for place in &self.written {
            functions.function(types[*place]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies: Vec<FunctionBody<'_>> = section.into_iter().collect::<Result<_, _>>()?;
        for place in self.written.clone() {
            utils::parse_function_body(self, code, bodies[place].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
