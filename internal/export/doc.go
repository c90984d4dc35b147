// Package export is what `dogker export` does: it reads what people have declared in a namespace and writes it as YAML that can
// be committed and applied again, here or elsewhere.
//
// Taken out is what a server or a controller has put in: status, managed fields, versions, times, finalizers, owners, the
// annotations of clients and of billing, the labels of the GitSync that has applied it, and in our own kinds what the schema
// fills in by itself. What a plan has filled in stays: another plan would fill in something else. Objects that another object
// has made are left out altogether, and so are payments and snapshots, which nobody wants to happen twice, and what a Volume was restored from. The records of `dogker apply` stay
// where they are true. Secrets are written only when asked for.
//
// Callers: cmd. It imports the CRDs of the binary, for their defaults, and must not import controllers.
package export
