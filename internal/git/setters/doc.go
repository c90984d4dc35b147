// Package setters writes an image into the places of YAML files that are marked for it, and changes not one byte besides.
//
//	image: registry.example/team/app:1.2.0 # {"$imagepolicy": "acme:app"}
//	tag: 1.2.0 # {"$imagepolicy": "acme:app:tag"}
//
// The markers are Flux': NAMESPACE:NAME for a whole reference, with :tag, :name or :digest behind it for a part. A parser says
// where a marked value is, and whether what looks like a marker is a comment at all; the value is then replaced in the bytes
// of its line. Comments, order, indentation, quotes, line ends and the other documents of a file stay as they are.
//
//   - A value keeps its quotes. One without gets some when YAML would take the new one for something else than text.
//   - What was written is read again, and every place must say what it should.
//
// It is called by internal/git, in a process of its own. It must not import controllers or the server.
package setters
