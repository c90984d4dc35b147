// Package compose turns Compose files into manifests of ours. It is what `dogker convert` does.
//
//	files ── Load ──► Stack ── Convert ──► Result ──► WriteYAML   objects, in the order to apply them
//	         reads            pure                └─► WriteReport what was lost, refused or changed on the way
//
// The files are read by compose-go, which Compose itself uses: interpolation, profiles, merges, extends and includes mean
// here what they mean there. Nothing is fetched: references to other machines are refused, and so are files above the
// folder of the project that would be merged into it.
//
// Invariants:
//
//   - Nothing is dropped silently. Every field of the Compose model is either converted by name or listed with a reason;
//     a test holds the two lists against the types of compose-go, and a field that neither knows is reported at run time.
//   - No field is invented. What our API has no word for is reported, with what to do instead.
//   - What comes out is accepted by the schema of our kinds, and by the security profile baseline unless the report says
//     otherwise.
//   - The same files, environment and options give the same bytes.
//   - No values of variables, secrets or options of drivers are in a report.
//
// Callers: cmd. It imports api and the rules of reconciler/policy, and must not import controllers, nor ask any server.
package compose
