import Database from 'better-sqlite3';
import { ReplicaWriter } from '../../src/store/replica-writer.ts';

/** Takes a scratch file and is killed in the middle of it: argv is log database, scratch file, name. */
const [, , database = '', scratch = '', name = ''] = process.argv;

type Prepare = (this: Database.Database, sql: string) => Database.Statement;
const prepare = Reflect.get(Database.prototype, 'prepare') as Prepare;
Object.assign(Database.prototype, {
  prepare(this: Database.Database, sql: string): Database.Statement {
    const statement = prepare.call(this, sql);
    // Once a tile is put, the head and the records are in the transaction already.
    if (!sql.startsWith('INSERT OR REPLACE INTO tiles')) return statement;
    const run = statement.run.bind(statement);
    return Object.assign(statement, {
      run(...values: unknown[]): Database.RunResult {
        run(...values);
        process.kill(process.pid, 'SIGKILL');
        throw new Error('the process goes on after SIGKILL');
      },
    });
  },
});

new ReplicaWriter(database).take(scratch, name, 'killed', Date.now());
