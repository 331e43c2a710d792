use std::path::Path;

use super::{Handle, InvalidSetting, Name, Registers, device_text};

#[test]
fn takes_persistent_handles_only() {
    for text in ["0x81000000", "0x81000001", "0x81FFfffF"] {
        let handle: Handle = text.parse().unwrap();
        assert_eq!(handle.to_string(), text.to_lowercase());
    }
    for text in [
        "",
        "0x",
        "0x80000000",
        "0x82000000",
        "0x40000001",
        "0x1",
        "0x8100000",
        "0x081000001",
        "81000001",
        "2164260865",
        "0X81000001",
        "0x+1000001",
        "0x81000001 ",
        "-0x81000001",
    ] {
        assert_eq!(
            text.parse::<Handle>(),
            Err(InvalidSetting::Handle),
            "{text}"
        );
    }
}

#[test]
fn takes_names_with_sha_256_only() {
    let text = format!("000b{}", "5a".repeat(32));
    let name: Name = text.parse().unwrap();
    assert_eq!(name.to_string(), text);
    assert_eq!(name.as_bytes().len(), 34);
    for text in [
        String::new(),
        format!("000b{}", "5a".repeat(31)),
        format!("000b{}", "5a".repeat(33)),
        format!("000b{}5", "5a".repeat(31)),
        format!("000c{}", "5a".repeat(48)),
        format!("0004{}", "5a".repeat(32)),
        format!("000b{}", "5g".repeat(32)),
        format!("000b{}", "ä".repeat(32)),
    ] {
        assert_eq!(text.parse::<Name>(), Err(InvalidSetting::Name), "{text}");
    }
}

#[test]
fn takes_ascending_registers_only() {
    for (text, numbers) in [("0", &[0][..]), ("23", &[23]), ("0, 2,7", &[0, 2, 7])] {
        assert_eq!(text.parse::<Registers>().unwrap().numbers(), numbers);
    }
    for text in ["", ",", "24", "-1", "7,0", "7,7", "0,,1", "0;1", "sha256:0"] {
        let refused = text.parse::<Registers>();
        assert_eq!(refused, Err(InvalidSetting::Registers), "{text}");
    }
}

#[test]
fn takes_devices_only() {
    for text in ["/dev/tpmrm0", "/dev/tpm0", "/dev/pts/5"] {
        assert_eq!(device_text(Path::new(text)), Ok(text));
    }
    for text in [
        "",
        "/dev",
        "tpmrm0",
        "/tmp/tpm",
        "device:/dev/tpm0",
        "/dev/tpm0:swtpm",
        "/dev/../tmp/x",
        "swtpm:host=127.0.0.1,port=2321",
    ] {
        let refused = device_text(Path::new(text));
        assert_eq!(refused, Err(InvalidSetting::Device), "{text}");
    }
}
