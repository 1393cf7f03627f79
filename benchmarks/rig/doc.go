// Package rig calls the contenders: without a socket, and over loopback with a
// client in the same process.
package rig
