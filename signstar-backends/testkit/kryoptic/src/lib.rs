//! The PKCS#11 module of kryoptic, as a shared library that can be loaded. For tests only.
//!
//! The two symbols by which a module is found need attributes that the workspace forbids, which is
//! one reason why this stands outside of it.

use kryoptic_lib::fns::general::{fn_get_function_list, fn_get_interface};
use kryoptic_lib::pkcs11::{
    CK_FLAGS, CK_FUNCTION_LIST_PTR_PTR, CK_INTERFACE_PTR_PTR, CK_RV, CK_UTF8CHAR_PTR,
    CK_VERSION_PTR,
};

/// PKCS#11 2.40, section 5.4.
#[allow(non_snake_case)]
#[unsafe(no_mangle)]
pub extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    fn_get_function_list(list)
}

/// PKCS#11 3.0, section 5.4.
#[allow(non_snake_case)]
#[unsafe(no_mangle)]
pub extern "C" fn C_GetInterface(
    name: CK_UTF8CHAR_PTR,
    version: CK_VERSION_PTR,
    interface: CK_INTERFACE_PTR_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    fn_get_interface(name, version, interface, flags)
}
