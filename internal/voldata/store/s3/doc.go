// Package s3 keeps archives in a bucket of any server that speaks S3.
//
//   - Objects are uploaded in parts, because their size is not known before. Parts are sent again when a connection breaks, and
//     what was uploaded becomes an object at once, with the last call, or never.
//   - A connection that was cut while an object is read is opened anew where it broke off, for the same version of it.
//   - It dials public addresses only, like everything that goes where tenants say, unless the operator allows all; it follows no
//     redirects, and asks no proxies of the environment.
//   - A server that sends nothing and takes nothing is left after a while, however long a transfer may take.
//   - Errors hold the class, and of what the server has said its code, when it is a word. No address, no credential.
//
// Callers: cmd. It imports internal/outbound and internal/voldata/store.
package s3
