// Package hostile has no code of its own. Its tests send what attackers, careless
// clients and broken proxies send to a service under a whole stack of this module's
// hooks, over every transport, and hold the answers to a table.
//
// Requests are bytes and frames, written by the tests themselves: no client library
// would send them. The service is crosscut.hostile.v1.ItemsService. A row of the
// table is one request with the one answer that is right, and with a credential
// under which the same request reaches the handler; a denial that nothing could
// turn into access would prove nothing. Besides the answer, each row is held to
// what is true of all of them: see judge.
//
// TestUnwrapped sends the same rows to servers without a stack, and lists those
// that pass there as well.
package hostile
