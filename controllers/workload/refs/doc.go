// Package refs reads the Secrets and ConfigMaps that a template of containers refers to. It is the same for what runs on and for
// what runs once: the controllers of TenantContainers and TenantJobs call it.
//
// It reads through a client, which may be a cache, and changes nothing. It must not import a controller.
package refs
