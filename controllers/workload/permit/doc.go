// Package permit knows what the tenant of a namespace lets run there: which tenant that is, what its plan says, whose signature an
// image needs, and what a confined task is kept from. It is the same for what runs on and for what runs once: the controllers of
// TenantContainers and TenantJobs call it.
//
// It reads through a client, which may be a cache, and changes nothing. It must not import a controller.
package permit
