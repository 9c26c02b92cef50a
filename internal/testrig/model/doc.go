// Package model is a small model of how Gatehouse issues, renews and revokes, which
// a machine explores completely within bounds. docs/model.md explains it to readers
// who have not seen one.
//
// A [State] is everything that the tables, copies and requests of a small world
// hold: one user, two sessions, two clients, a few grants. An [Action] is one step
// of it: a request reads, a request writes, a second passes, an authorizer decides.
// [Scope.Explore] visits every state that some order of steps leads to, shortest
// first, and asks whether a [Law] is broken. A [Fault] switches off one check, so
// that the tests see which law it keeps.
//
// The tests of this package replay random traces of the model against the real
// handlers, on both engines, and compare each answer.
package model
