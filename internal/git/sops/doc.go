// Package sops opens files that SOPS has encrypted for age, in YAML and JSON: values in place, and whole files in SOPS' envelope.
//
// It reads SOPS' format by itself, with age and the AES of the standard library. SOPS' own module brings the clients of five
// clouds with it, which go where a file tells them to (docs/adr/0024); what is left of it for age is short. Tests hold it against
// files that sops wrote.
//
//   - The MAC is always checked: a file that was changed after it was encrypted is refused, whoever changed it.
//   - An encrypted file without a key for it is an error, and so are encrypted values without SOPS' metadata. Nothing encrypted is
//     ever applied as if it were a value.
//   - Errors name files and keys of values, never values.
//
// It is called by internal/git. It must not import controllers or the server.
package sops
