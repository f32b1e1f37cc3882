import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;
import io.netty.channel.Channel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * mongo-java-server in memory, on the loopback port that is given. It claims wire version 9, the least the driver takes.
 * Its change streams know no databases, no names of collections, no positions without events and no lost history, so those
 * here are ours, made after MongoDB's documentation; the writes that they tell of are the emulator's.
 */
public class MongoServerMain {
    private static final MongoVersion CLAIMED = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    };

    public static void main(String[] arguments) throws InterruptedException {
        FollowedBackend backend = new FollowedBackend();
        backend.enableOplog();
        MongoServer server = new MongoServer(backend.version(CLAIMED));
        server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        Thread.currentThread().join();
    }
}

/** The emulator with change streams before it. */
class FollowedBackend extends MemoryBackend {
    private static final int LONGEST_WAIT_MS = 10; // it would hold up the other connections of the same thread
    private static final long FIRST_CURSOR = 1L << 40; // apart from the emulator's own

    private final Map<Long, ChangeStream> streams = new ConcurrentHashMap<>();
    private final AtomicLong cursors = new AtomicLong(FIRST_CURSOR);
    private final ChangeLog log = new ChangeLog(this);

    @Override
    protected Oplog createOplog() {
        return log;
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        switch (command.toLowerCase()) {
            case "aggregate":
                Document stage = changeStreamStage(query);
                if (stage != null) return open(database, query, stage);
                break;
            case "getmore":
                ChangeStream stream = streams.get(((Number) query.get(command)).longValue());
                if (stream != null) return more(stream, query);
                break;
            case "killcursors":
                ((List<?>) query.get("cursors")).forEach(streams::remove);
                break;
            case "ismaster":
                return withLastWrite(super.handleCommand(channel, database, command, query));
            case "renamecollection":
                return rename(channel, database, command, query);
            case "dropdatabase":
                Document dropped = super.handleCommand(channel, database, command, query);
                log.add(new Event("dropDatabase", database, null, null, null));
                log.add(new Event("invalidate", database, null, null, null));
                return dropped;
            case "forgetchanges": // for tests: as if the oplog were too small for what was written
                log.forget();
                return okay(new Document());
            case "openchangestreams": // for tests
                return okay(new Document("count", streams.size()));
            default:
                break;
        }
        return super.handleCommand(channel, database, command, query);
    }

    private static Document changeStreamStage(Document query) {
        Object first = query.get("pipeline") instanceof List<?> list && !list.isEmpty() ? list.get(0) : null;
        return first instanceof Document document ? (Document) document.get("$changeStream") : null;
    }

    private Document open(String database, Document query, Document stage) {
        List<Document> stages = Aggregation.parse(query.get("pipeline"));
        Aggregation pipeline = Aggregation.fromPipeline(
            stages.subList(1, stages.size()), this::resolveDatabase, resolveDatabase(database), null, log);
        String collection = query.get("aggregate") instanceof String name ? name : null;
        boolean looksUp = "updateLookup".equals(stage.get("fullDocument"));
        ChangeStream stream = new ChangeStream(
            cursors.incrementAndGet(), database, collection, pipeline, looksUp, log.start(stage));
        List<Document> batch = log.next(stream, batchSize((Document) query.get("cursor")));
        streams.put(stream.id, stream);
        return answer(stream, "firstBatch", batch);
    }

    private Document more(ChangeStream stream, Document query) {
        Number limit = (Number) query.get("maxTimeMS");
        List<Document> batch = log.next(stream, batchSize(query));
        if (batch.isEmpty()) {
            log.await(stream, limit == null ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, limit.intValue()));
            batch = log.next(stream, batchSize(query));
        }
        return answer(stream, "nextBatch", batch);
    }

    private static int batchSize(Document of) {
        Number size = (Number) of.get("batchSize");
        return size == null ? 101 : size.intValue();
    }

    private Document answer(ChangeStream stream, String name, List<Document> batch) {
        Document cursor = new Document("id", stream.id)
            .append("ns", stream.database + "." + (stream.collection == null ? "$cmd.aggregate" : stream.collection))
            .append(name, batch)
            .append("postBatchResumeToken", stream.at.token());
        if (stream.isOver) {
            streams.remove(stream.id);
            cursor.put("id", 0L);
        }
        return okay(new Document("cursor", cursor).append("operationTime", log.last().timestamp()));
    }

    /** Without the date, which increments would wait for. */
    private Document withLastWrite(Document answer) {
        Document written = new Document("ts", log.last().timestamp()).append("t", 1L);
        answer.put("lastWrite", new Document("opTime", written).append("majorityOpTime", written));
        return answer;
    }

    private Document rename(Channel channel, String database, String command, Document query) {
        String from = query.get(command).toString();
        String to = query.get("to").toString();
        Document answer = super.handleCommand(channel, database, command, query);
        log.add(new Event("rename", databaseOf(from), collectionOf(from), null, name(to)));
        return answer;
    }

    static String databaseOf(String namespace) {
        return Utils.getDatabaseNameFromFullName(namespace);
    }

    static String collectionOf(String namespace) {
        return Utils.getCollectionNameFromFullName(namespace);
    }

    static Document name(String namespace) {
        return new Document("db", databaseOf(namespace)).append("coll", collectionOf(namespace));
    }

    private static Document okay(Document answer) {
        Utils.markOkay(answer);
        return answer;
    }

    /** The document as it is now, or null. */
    Document find(String database, String collection, Object id) {
        var found = resolveDatabase(database).resolveCollection(collection, false);
        if (found == null) return null;
        return found.handleQueryAsStream(new Document("_id", id)).findFirst().map(Document::cloneDeeply).orElse(null);
    }
}

/** A place in the log: before all events of a time, or behind the event of that time. */
record Place(long time, boolean isBehind) implements Comparable<Place> {
    private static final String BEFORE = "2B0229296E04";
    private static final String BEHIND = "2B022C0100296E04";

    @Override
    public int compareTo(Place other) {
        int byTime = Long.compareUnsigned(time, other.time);
        return byTime != 0 ? byTime : Boolean.compare(isBehind, other.isBehind);
    }

    BsonTimestamp timestamp() {
        return new BsonTimestamp(time);
    }

    Document token() {
        return new Document("_data", String.format("82%016X%s", time, isBehind ? BEHIND : BEFORE));
    }

    static Place of(Document token) {
        String data = String.valueOf(token.get("_data"));
        if (!data.matches("82[0-9A-F]{16}(" + BEFORE + "|" + BEHIND + ")")) {
            throw new MongoServerError(260, "InvalidResumeToken", "bad resume token: " + data);
        }
        return new Place(Long.parseUnsignedLong(data.substring(2, 18), 16), data.endsWith(BEHIND));
    }
}

/** What happened. `document` is what was written, or only the key where `operation` is update or delete. */
record Event(String operation, String database, String collection, Document document, Document to) {
    boolean isOf(ChangeStream stream) {
        if (!database.equals(stream.database)) return false;
        return stream.collection == null || collection == null || collection.equals(stream.collection);
    }
}

class ChangeStream {
    final long id;
    final String database;
    final String collection;
    final Aggregation pipeline;
    final boolean looksUp;
    Place at;
    boolean isOver;

    ChangeStream(long id, String database, String collection, Aggregation pipeline, boolean looksUp, Place at) {
        this.id = id;
        this.database = database;
        this.collection = collection;
        this.pipeline = pipeline;
        this.looksUp = looksUp;
        this.at = at;
    }
}

/** What the emulator tells of its writes, in order, as far as there is room. */
class ChangeLog implements Oplog {
    private static final int ROOM = 100_000;

    private record Entry(Place place, Instant wall, Event event) {}

    private final FollowedBackend backend;
    private final TreeMap<Place, Entry> entries = new TreeMap<>();
    private Place last = new Place(Instant.now().getEpochSecond() << 32 | 1, true);
    private Place oldest = new Place(0, false);

    ChangeLog(FollowedBackend backend) {
        this.backend = backend;
    }

    synchronized Place last() {
        return last;
    }

    synchronized void add(Event event) {
        long now = Instant.now().getEpochSecond() << 32 | 1;
        last = new Place(Math.max(now, last.time() + 1), true);
        entries.put(last, new Entry(last, Instant.now(), event));
        if (entries.size() > ROOM) oldest = entries.pollFirstEntry().getKey();
        notifyAll();
    }

    synchronized void forget() {
        entries.clear();
        last = new Place(last.time() + 1, true); // something is always left, be it only that the server is alive
        oldest = new Place(last.time(), false);
    }

    /** Where a stream begins. */
    synchronized Place start(Document stage) {
        Document token = (Document) stage.getOrDefault("resumeAfter", stage.get("startAfter"));
        if (token != null) return Place.of(token);
        Object time = stage.get("startAtOperationTime");
        return new Place(time == null ? last.time() + 1 : ((BsonTimestamp) time).getValue(), false);
    }

    synchronized List<Document> next(ChangeStream stream, int most) {
        if (stream.at.compareTo(oldest) < 0) {
            throw new MongoServerError(286, "ChangeStreamHistoryLost", "Resume of change stream was not possible,"
                + " as the resume point may no longer be in the oplog.");
        }
        List<Document> found = new ArrayList<>();
        for (Entry entry : entries.tailMap(stream.at, false).values()) {
            if (found.size() >= most || stream.isOver) break;
            boolean isShown = entry.event().isOf(stream)
                && stream.pipeline.runStages(Stream.of(shown(entry, stream.looksUp))).stream().filter(found::add).count() > 0;
            stream.at = new Place(entry.place().time(), true);
            stream.isOver = isShown && entry.event().operation().equals("invalidate");
        }
        return found;
    }

    synchronized void await(ChangeStream stream, long milliseconds) {
        if (stream.at.compareTo(last) >= 0) {
            try {
                wait(Math.max(1, milliseconds));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Document shown(Entry entry, boolean looksUp) {
        Event event = entry.event();
        Document ns = new Document("db", event.database());
        if (event.collection() != null) ns.append("coll", event.collection());
        Document shown = new Document("_id", entry.place().token())
            .append("operationType", event.operation())
            .append("clusterTime", entry.place().timestamp())
            .append("wallTime", entry.wall())
            .append("ns", ns);
        Document document = event.document();
        if (event.to() != null) shown.append("to", event.to());
        if (document == null) return shown;
        Object id = document.get("_id");
        shown.append("documentKey", new Document("_id", id));
        if (event.operation().equals("update")) {
            if (looksUp) shown.append("fullDocument", backend.find(event.database(), event.collection(), id));
            shown.append("updateDescription", new Document("updatedFields", new Document()));
        } else if (!event.operation().equals("delete")) {
            shown.append("fullDocument", document);
        }
        return shown;
    }

    private void add(String operation, String namespace, Document document) {
        String database = FollowedBackend.databaseOf(namespace);
        add(new Event(operation, database, FollowedBackend.collectionOf(namespace), document, null));
    }

    @Override
    public void handleInsert(String namespace, List<Document> documents) {
        documents.forEach(document -> add("insert", namespace, document.cloneDeeply()));
    }

    @Override
    public void handleUpdate(String namespace, Document selector, Document query, List<Object> ids) {
        boolean replaces = query.keySet().stream().noneMatch(name -> name.startsWith("$"));
        for (Object id : ids) {
            Document key = new Document("_id", id);
            Document now = replaces
                ? backend.find(FollowedBackend.databaseOf(namespace), FollowedBackend.collectionOf(namespace), id)
                : key;
            add(replaces ? "replace" : "update", namespace, now == null ? key : now);
        }
    }

    @Override
    public void handleDelete(String namespace, Document query, List<Object> ids) {
        ids.forEach(id -> add("delete", namespace, new Document("_id", id)));
    }

    @Override
    public void handleDropCollection(String namespace) {
        add("drop", namespace, null);
    }

    @Override
    public Cursor createCursor(Document stage, String namespace, Aggregation pipeline) {
        throw new UnsupportedOperationException("change streams are opened before the emulator sees them");
    }
}
