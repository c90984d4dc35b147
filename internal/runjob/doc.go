// Package runjob is what `dogker job run` does: it reads a TenantJob and makes another one of it that runs once, through the API, as
// any client could. It decides nothing; the controller of jobs does.
package runjob
