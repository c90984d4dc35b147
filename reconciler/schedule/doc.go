// Package schedule says what the clock on the wall means: whether one of several windows of the week is open in a time
// zone, and when that changes. It is pure: the time is an argument.
//
//	windows + zone + now ──► open or not, and until when
//
// What holds everywhere in it:
//
//   - The wall decides. A window is open whenever a clock on a wall of that zone shows a time within it, however often
//     that clock is put forward or back: an hour that a clock skips is in no window, an hour that it shows twice is in
//     its window twice.
//   - The answer for a moment does not depend on when or how often it was asked before. Whoever was down when a window
//     opened finds it open.
//
// Zones are those of the IANA database, which the binary carries, so that a server without one, or with an older one, gives
// the same answers as its neighbour.
//
// It is called by controllers/workload and by admission. It imports the API's types and apimachinery's field errors.
package schedule
