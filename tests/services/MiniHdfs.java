import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;

/** A NameNode and a DataNode in this process, until standard input ends. Prints the port of WebHDFS. */
public class MiniHdfs {
    public static void main(String[] arguments) throws Exception {
        Configuration conf = new Configuration();
        conf.set("fs.defaultFS", "hdfs://127.0.0.1:0");
        conf.set("dfs.namenode.http-address", "127.0.0.1:0");
        conf.set("dfs.namenode.name.dir", "file://" + arguments[0] + "/name");
        conf.set("dfs.datanode.data.dir", "file://" + arguments[0] + "/data");
        for (String kind : new String[] {"address", "http.address", "ipc.address"}) {
            conf.set("dfs.datanode." + kind, "127.0.0.1:0");
        }
        conf.set("dfs.datanode.hostname", "127.0.0.1");
        conf.set("dfs.replication", "1");
        conf.set("dfs.namenode.fs-limits.min-block-size", "1024");
        conf.set("dfs.namenode.safemode.extension", "0");
        DefaultMetricsSystem.setMiniClusterMode(true); // a NameNode that formats registers its metrics twice
        NameNode.format(conf);
        NameNode names = NameNode.createNameNode(new String[0], conf);
        conf.set("fs.defaultFS", "hdfs://127.0.0.1:" + names.getNameNodeAddress().getPort());
        DataNode.createDataNode(new String[0], conf);
        while (names.getNamesystem().getNumLiveDataNodes() == 0) {
            Thread.sleep(20);
        }
        System.out.println("port " + names.getHttpAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }
}
