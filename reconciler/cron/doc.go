// Package cron says at which moments a schedule ticks: five fields of crontab(5), read by github.com/robfig/cron, in a time zone.
// It is pure: the time is an argument.
//
//	expression + zone ──► Schedule ──► Next(after), Due(after, until)
//
// What the clock on the wall shows decides, and clocks are put forward and back:
//
//   - Where the hours are all hours (*), the schedule means every so often. A time that is shown twice is two ticks; one that is
//     skipped is none.
//   - Where some hours are named, it means a time of day. A time that is shown twice ticks when it is shown first. Times that are
//     skipped tick together, once, at the moment at which the clock is put forward. So what is to run at 02:30 runs once on every
//     day that the schedule names, which neither Kubernetes nor robfig/cron promise, and cron(8) of Debian does.
//
// A tick is a moment. Two times that fall onto the same one, such as 02:00 that is skipped and 03:00 that is not, are one tick.
//
// Days are counted, not minutes: what was due in a month, or in a hundred years, is known without a walk over all of it.
//
// It is called by reconciler/jobrun, by what plans snapshots, and by admission. It imports the API's types, apimachinery's field errors and the parser.
package cron
