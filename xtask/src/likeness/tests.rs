use wasm_encoder::{ExportKind, ExportSection, Function, TypeSection, ValType};

use super::*;

/// Functions that return a number, exported under it; the last calls the first two and returns
/// nothing.
fn module(numbers: &[i32]) -> Vec<u8> {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    types.ty().function([], [ValType::I32]);
    types.ty().function([], []);
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    for (place, number) in numbers.iter().enumerate() {
        functions.function(0);
        exports.export(
            &format!("{number} at {place}"),
            ExportKind::Func,
            place as u32,
        );
        let mut body = Function::new([]);
        body.instructions().i32_const(*number).end();
        code.function(&body);
    }
    functions.function(1);
    exports.export("calls", ExportKind::Func, numbers.len() as u32);
    let mut body = Function::new([]);
    body.instructions().call(0).drop().call(1).drop().end();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Each export with the operators of its function.
fn read(module: &[u8]) -> Vec<(String, String)> {
    let bodies = Functions::read(module).unwrap().bodies.len();
    let (mut exports, mut code) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ExportSection(section) => {
                exports = section.into_iter().map(Result::unwrap).collect();
            }
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().unwrap().into_iter();
                let operators = operators.map(|operator| format!("{:?}", operator.unwrap()));
                code.push(operators.collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }
    assert_eq!(bodies, code.len());
    let body = |index: u32| code[index as usize].clone();
    exports
        .iter()
        .map(|export| (export.name.to_owned(), body(export.index)))
        .collect()
}

#[test]
fn functions_stand_in_order_and_each_export_and_call_finds_its_own() {
    let ordered = read(&in_order(&module(&[9, 4, 7])).unwrap());
    for (name, body) in &ordered[..3] {
        let number = name.split(' ').next().unwrap();
        assert_eq!(*body, format!("I32Const {{ value: {number} }} End"));
    }
    // 4, 7, 9: the first is the last now, the second the first.
    let calls = "Call { function_index: 2 } Drop Call { function_index: 0 } Drop End";
    assert_eq!(ordered[3], ("calls".to_owned(), calls.to_owned()));
}

#[test]
fn equal_functions_become_one() {
    let ordered = in_order(&module(&[5, 5, 3])).unwrap();
    assert_eq!(Functions::read(&ordered).unwrap().bodies.len(), 3);
    let calls = "Call { function_index: 1 } Drop Call { function_index: 1 } Drop End";
    assert_eq!(read(&ordered)[3].1, calls);
}
