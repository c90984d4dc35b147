// Package allotmenttest has containers to count, for tests of what they take of a quota and of who charges for that.
package allotmenttest
