import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Fault, Simulator } from '../simulator/index.ts'

/** A server on a port of its own that takes its open connections along when it is closed. */
export async function opened(server: Server, port = 0) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  await using server = await opened(createServer())
  return server.port
}

/** Passes every byte on to a port of this machine. */
export function pipeTo(port: number, socket: Socket): void {
  const onward = connect(port, '127.0.0.1')
  for (const end of [socket, onward]) end.on('error', () => {})
  socket.on('close', () => onward.destroy())
  onward.on('close', () => socket.destroy())
  socket.pipe(onward).pipe(socket)
}

/** `n` syncs with ids from 8001 on. */
export function syncs<T extends object>(n: number, settings: T): ({ id: number } & T)[] {
  return Array.from({ length: n }, (_, index) => ({ id: 8001 + index, ...settings }))
}

/** Lets each sync of the simulator meet a fault of its own: sync 8001 the first one, and so on. */
export function eachItsOwn(simulator: Simulator, operation: 'trigger', faults: readonly Fault[]): void {
  simulator.faults.push((_request, call) =>
    call.operation === operation && call.nth === 1 ? faults[call.id - 8001] : undefined,
  )
}

/** Lets the first looks at the run of each sync meet faults of their own. The later ones are answered. */
export function eachRunItsOwn(simulator: Simulator, faults: readonly Fault[], looks = 1): void {
  const ids = simulator.syncs().map(({ id }) => id)
  simulator.faults.push((_request, call) => {
    if (call.operation !== 'read-run' || call.nth > looks) return undefined
    const sync = ids.find((id) => simulator.runs(id).some((run) => run.id === call.id))
    return sync === undefined ? undefined : faults[sync - 8001]
  })
}
