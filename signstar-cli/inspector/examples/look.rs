use std::fs::File;
fn main() {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap();
    let kind = signstar_inspector::ArtifactKind::ALL
        .into_iter()
        .find(|k| k.0 == kind)
        .unwrap()
        .1;
    for f in args {
        let r = signstar_inspector::inspect(kind, &Default::default(), File::open(&f).unwrap());
        match r {
            Ok(i) => println!(
                "ok {f} {} {} {} {}",
                i.name, i.version, i.entries, i.unpacked_bytes
            ),
            Err(e) => println!("REFUSED {f}: {e}"),
        }
    }
}
