// Package archive keeps the content of a volume in one sealed file.
//
//	archive.json ─────────────┐
//	volume/…, as content has it ──► tar ──► zstd ──► age ──► FILE
//	manifest.json ────────────┤
//	manifest.json.hmac ───────┘
//
// What holds:
//
//   - It is always encrypted. Who has no key learns nothing of it but its size.
//   - age says that a file was not changed since somebody made it, but everybody who knows a recipient can make one. Therefore
//     the manifest is authenticated by a key that is derived from the secret one: only who could open archives can make some.
//   - The manifest is last, because what it says is known last. It holds the digest of the content and that of archive.json,
//     which is first, so that who looks for one of many need not read all of it.
//   - Nothing that is read counts before Verify or Extract has returned: both read to the real end, and hold all of it against
//     the manifest. Extract writes while it reads, so its callers verify first, and write where nobody looks yet.
//   - Later formats, files in the wrong place, and memory beyond a bound are refused.
//
// Without Dogker it is opened by `age -d -i KEY FILE | zstd -d | tar -x`, which gives a directory volume and the manifest.
//
// Callers: internal/voldata/snapshot. It must not know engines and stores.
package archive
