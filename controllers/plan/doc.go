// Package plan looks after Plans: it counts the tenants that have one, and holds a Plan that somebody deletes for as long
// as a tenant has it.
//
// What a Plan allows is enforced elsewhere: at admission, and by package tenant through the quota of each tenant.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package plan
