// Package gitpreview gives branches and pull requests environments of their own, and takes them away: it is the control loop
// of the kind GitPreview.
//
//	due? ─► list of references, apart from the loop ─► preview.Decide ─┬► Tenant ─► copies ─► GitSync ─► Ready
//	  ▲                                                                └► Tenant deleted ─► gone
//	  └──── interval, annotation, retry, the next preview's end
//
// What holds everywhere in it:
//
//   - A preview is a Tenant. Its namespace, quota, network, rights and billing are those of any other; nothing here makes them.
//   - Whose a preview is says a label with the UID of the GitPreview, which no tenant can write. A Tenant without it is never
//     changed and never deleted, whatever it is called.
//   - There are never more previews of a tenant than its plan allows, those that are going among them: they are counted at the API
//     server, one at a time, before one is made.
//   - Members of a preview are those of its tenant. Nobody gets a right by it that he has not got there.
//   - What is copied is read as the ServiceAccount that the spec names.
//   - No pass waits for a repository. One that cannot be asked, has lost everything or lists too much takes nothing away.
//   - What had its time is on record in status before it is deleted, so that it does not come back by itself.
//   - At rest nothing is written, not even status.
//
// It imports api and reconciler. It must not import adapters: they meet in cmd/dogker.
package gitpreview
