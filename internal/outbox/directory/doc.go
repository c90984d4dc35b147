// Package directory knows where Receivers lead: to contacts of Tenants by mail, to URLs that may lie in Secrets, and to the
// endpoint of the platform.
//
//	ReceiverRef{}              the endpoint of the platform, if it has one
//	ReceiverRef{acme, ""}      mail to the contacts of Tenant acme whose purpose fits the topic
//	ReceiverRef{acme, "chat"}  what Receiver chat says
//
// A Receiver of a tenant writes to contacts of the Tenant and to nobody else, whatever it says: contacts are set by the
// platform, and mail goes out in its name.
//
// Everything is read from a cache, for each delivery: what was changed counts at once, and what is secret lies nowhere else.
// It must not import controllers.
package directory
