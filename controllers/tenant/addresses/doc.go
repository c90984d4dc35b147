// Package addresses decides which subnet of the platform's address pool a tenant's network gets: how large it has to be
// for the tenant's quota, and which one is free.
//
// It is pure. Who holds what comes in as a list; keeping two tenants from getting the same subnet is the caller's work.
package addresses
